// Splits passwd, group, shadow, subuid and subgid into fields. Only reads.
#include "sys/user_files.h"

#include <errno.h>
#include <string.h>

#include "sys/file_io.h"

#define USER_FILE_SIZE_MAX (256 * 1024 * 1024)

static size_t split_fields(char *line, char *fields[static USER_FIELDS_MAX])
{
    size_t count = 0;
    while (line && count < USER_FIELDS_MAX) {
        fields[count++] = line;
        line = strchr(line, ':');
        if (line && count < USER_FIELDS_MAX)
            *line++ = '\0';
    }
    return count;
}

int user_file_each(const char *path, int (*each)(char **fields, size_t count, void *userdata), void *userdata,
                   struct error *err)
{
    _cleanup_free_ char *text = NULL;
    size_t n = 0;
    // FILE_ANY: these files are the system's, and some systems keep links there.
    int r = file_read(path, FILE_ANY, USER_FILE_SIZE_MAX, &text, &n, err);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    char *save = NULL;
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char *fields[USER_FIELDS_MAX];
        r = each(fields, split_fields(line, fields), userdata);
        if (r != 0)
            return r;
    }
    return 0;
}
