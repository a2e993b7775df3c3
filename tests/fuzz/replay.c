// Feeds every file of the given directories to a fuzz target, so that the corpora are tests without
// libFuzzer.
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "fuzz.h"

#define INPUT_MAX (1 << 20)

static bool replay_file(const char *directory, const char *name)
{
    char path[4096];
    static uint8_t buffer[INPUT_MAX];
    if ((size_t)snprintf(path, sizeof(path), "%s/%s", directory, name) >= sizeof(path))
        return false;
    _cleanup_fclose_ FILE *f = fopen(path, "re");
    if (!f)
        return false;
    size_t n = fread(buffer, 1, sizeof(buffer), f);
    if (ferror(f))
        return false;
    // A copy of its own size, so that a sanitizer sees a read beyond the end.
    _cleanup_free_ uint8_t *data = malloc(n > 0 ? n : 1);
    if (!data)
        return false;
    for (size_t i = 0; i < n; i++)
        data[i] = buffer[i];
    return LLVMFuzzerTestOneInput(data, n) == 0;
}

// The number of files that were fed; -1 if one could not be read.
static int replay_directory(const char *directory)
{
    int count = 0;
    _cleanup_closedir_ DIR *d = opendir(directory);
    if (!d)
        return -1;
    const struct dirent *entry = NULL;
    while ((entry = readdir(d))) {
        if (entry->d_name[0] == '.')
            continue;
        if (!replay_file(directory, entry->d_name)) {
            (void)fprintf(stderr, "%s/%s: not replayed\n", directory, entry->d_name);
            return -1;
        }
        count++;
    }
    return count;
}

int main(int argc, char *argv[])
{
    for (int i = 1; i < argc; i++) {
        int count = replay_directory(argv[i]);
        if (count <= 0) {
            (void)fprintf(stderr, "%s: no corpus\n", argv[i]);
            return EXIT_FAILURE;
        }
        (void)printf("%s: %d inputs\n", argv[i], count);
    }
    return argc > 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
