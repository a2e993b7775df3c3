// Tables with aligned columns. Every cell is made printable when it is added.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/output.h"

struct output_table {
    size_t columns;
    const char *const *headings; // borrowed
    struct strv cells;           // row by row
};

struct output_table *output_table_new(size_t columns, const char *const *headings)
{
    struct output_table *t = calloc(1, sizeof *t);
    if (t)
        *t = (struct output_table){ .columns = columns, .headings = headings };
    return t;
}

struct output_table *output_table_free(struct output_table *t)
{
    if (t) {
        strv_clear(&t->cells);
        free(t);
    }
    return NULL;
}

int output_table_add(struct output_table *t, const char *const *cells)
{
    for (size_t i = 0; i < t->columns; i++) {
        const char *cell = cells[i] ? cells[i] : "-";
        char *printable = text_printable(cell, strlen(cell));
        int r = printable ? strv_take(&t->cells, printable) : -ENOMEM;
        if (r < 0)
            return r;
    }
    return 0;
}

static bool is_right(const struct output_table *t, size_t column)
{
    return t->headings[column][0] == '>';
}

static const char *heading(const struct output_table *t, size_t column)
{
    return t->headings[column] + (is_right(t, column) ? 1 : 0);
}

// Columns on the screen: characters, not bytes.
static size_t display_width(const char *text)
{
    size_t width = 0;
    for (const char *p = text; *p; p++)
        width += ((unsigned char)*p & 0xc0) != 0x80;
    return width;
}

static size_t column_width(const struct output_table *t, size_t column, bool legend)
{
    size_t width = legend ? display_width(heading(t, column)) : 0;
    for (size_t i = column; i < t->cells.count; i += t->columns) {
        size_t w = display_width(t->cells.items[i]);
        width = w > width ? w : width;
    }
    return width;
}

static void print_cell(const struct output_table *t, size_t column, const char *text, size_t width, FILE *out)
{
    bool last = column + 1 == t->columns;
    size_t used = display_width(text);
    size_t padding = width > used ? width - used : 0;
    if (is_right(t, column))
        (void)fprintf(out, "%*s%s", (int)padding, "", text); // the caller checks the stream
    else
        (void)fprintf(out, "%s%*s", text, last ? 0 : (int)padding, "");
    (void)fputs(last ? "\n" : "  ", out);
}

int output_table_print(const struct output_table *t, bool legend, FILE *out, struct error *err)
{
    _cleanup_free_ size_t *widths = calloc(t->columns, sizeof *widths);
    if (!widths)
        return error_oom(err);
    for (size_t c = 0; c < t->columns; c++)
        widths[c] = column_width(t, c, legend);
    for (size_t c = 0; legend && c < t->columns; c++)
        print_cell(t, c, heading(t, c), widths[c], out);
    for (size_t i = 0; i < t->cells.count; i++)
        print_cell(t, i % t->columns, t->cells.items[i], widths[i % t->columns], out);
    if (ferror(out))
        return error_errno(err, errno ? errno : EIO, "cannot write to standard output");
    return 0;
}
