// Ownership of a state. Nothing else.
#include "plan/state.h"

#include <stdlib.h>

void state_clear(struct state *s)
{
    free(s->spec_text);
    free(s->spec_file);
    free(s->launch_text);
    *s = (struct state){ 0 };
}
