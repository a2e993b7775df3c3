// One agent's status as JSON: what list has, and the details on top. Keys are stable; what is not known is
// null.
#include "cmd/status_json.h"

#include "base/number.h"
#include "cmd/output.h"

static json_t *layer_json(const struct unit *u, const char *layer)
{
    json_t *array = json_array();
    for (size_t i = 0; i < u->count; i++)
        if (u->properties[i].layer && str_equal(u->properties[i].layer, layer))
            (void)json_array_append_new(array,
                                        json_string(u->properties[i].unit_key)); // oom: json_pack() fails too
    return array;
}

static json_t *layers_json(const struct status_detail *d)
{
    if (d->unit_problem)
        return json_null();
    json_t *object = json_object();
    for (const char *const *layer = layer_names; *layer; layer++)
        (void)json_object_set_new(object, *layer, layer_json(&d->unit, *layer));
    return object;
}

static json_t *absent_json(const struct unit *u)
{
    json_t *array = json_array();
    for (size_t i = 0; i < u->absent_count; i++)
        (void)json_array_append_new(array, json_pack("{s:s, s:s, s:s}", "name", u->absent[i].name, "layer",
                                                     u->absent[i].layer, "reason", u->absent[i].reason));
    return array;
}

// Percentages as numbers of percent, everything else in its own unit; null is no limit.
static json_t *limit_value(const struct limit *l, uint64_t value)
{
    if (l->kind == LIMIT_PERCENT && value != LIMIT_INFINITY)
        return json_real((double)value / 100);
    return output_json_number(value);
}

static json_t *limits_json(const struct view *v)
{
    if (!v->agent.effective)
        return json_null();
    struct limit limits[LIMITS_COUNT];
    limits_of(v->agent.effective, &v->usage, limits);
    json_t *object = json_object();
    for (size_t i = 0; i < LIMITS_COUNT; i++) {
        const struct limit *l = &limits[i];
        (void)json_object_set_new(object, l->key,
                                  json_pack("{s:o, s:o, s:o}", "wanted", limit_value(l, l->wanted), "kernel",
                                            v->usage.exists ? limit_value(l, l->kernel) : json_null(), "same",
                                            v->usage.exists ? json_boolean(l->same) : json_null()));
    }
    return object;
}

static json_t *last_exit_json(const struct status_detail *d)
{
    if (!d->last_exit)
        return json_null();
    return json_pack("{s:s, s:o}", "text", d->last_exit, "when_usec", output_json_number(d->last_exit_usec));
}

json_t *status_json(const struct view *v, const struct status_detail *d, bool counters_known)
{
    const struct agent *a = &v->agent;
    json_t *object = view_json(v, counters_known);
    json_t *more =
        json_pack("{s:s?, s:s, s:s, s:s, s:s?, s:s?, s:b, s:o, s:o, s:s, s:o, s:o}", "description",
                  a->effective ? a->effective->description : NULL, "spec_file", a->names.spec_file, "home",
                  a->names.home, "work", a->names.work, "spec_problem", a->broken.text, "layers_problem",
                  d->unit_problem, "restart_due", d->restart_due, "layers", layers_json(d), "absent",
                  absent_json(&d->unit), "rules", rules_view_name(d->rules), "limits", limits_json(v),
                  "last_exit", last_exit_json(d));
    if (!object || !more || json_object_update(object, more) < 0) {
        json_decref(object);
        object = NULL;
    }
    json_decref(more);
    return object;
}
