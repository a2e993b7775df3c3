// Absolute paths as a spec may hold them. Text only; never touches a file system.
#include "spec/path.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/text.h"

static bool is_dots(const char *component, size_t n)
{
    return (n == 1 && component[0] == '.') || (n == 2 && component[0] == '.' && component[1] == '.');
}

int path_normalise(const char *text, char **ret, struct error *err)
{
    if (*text != '/')
        return error_class(err, ERROR_USAGE, "not an absolute path");
    if (strlen(text) >= PATH_MAX)
        return error_class(err, ERROR_USAGE, "longer than %d bytes", PATH_MAX - 1);
    if (text_has_control(text, strlen(text)))
        return error_class(err, ERROR_USAGE, "a control character in a path");
    if (strpbrk(text, " \"'\\%"))
        return error_class(
            err, ERROR_USAGE,
            "a space, quote, backslash or %% in a path, which systemd may lose when it reloads");
    _cleanup_text_ struct text t = { 0 };
    for (const char *p = text; *p;) {
        p += strspn(p, "/");
        size_t n = strcspn(p, "/");
        if (is_dots(p, n))
            return error_class(err, ERROR_USAGE, "a path must not contain . or ..");
        if (n > 0)
            text_add(&t, "/");
        text_add_n(&t, p, n);
        p += n;
    }
    if (t.length == 0)
        text_add(&t, "/");
    char *path = text_take(&t);
    if (!path)
        return error_oom(err);
    *ret = path;
    return 0;
}

bool path_is_within(const char *path, const char *directory)
{
    size_t n = strlen(directory);
    if (strcmp(directory, "/") == 0)
        return true;
    return strncmp(path, directory, n) == 0 && (path[n] == '\0' || path[n] == '/');
}
