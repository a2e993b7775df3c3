// Rulesets as nft's own text: for `show --nft`, for plans and to name what the kernel refused.
#include "encode/ruleset.h"

#include <stdlib.h>

#include "encode/ruleset_rule.h"

static void add_rule(struct text *t, const struct rule *rule)
{
    for (size_t i = 0; i < rule->count; i++) {
        text_add(t, i > 0 ? " " : "");
        statement_add_text(&rule->statements[i], t);
    }
}

char *rule_text(const struct rule *rule)
{
    struct text t = { 0 };
    add_rule(&t, rule);
    return text_take(&t);
}

// As `nft --stateless list chain inet agentctl agent-NAME` prints it.
char *ruleset_agent_text(const struct egress_policy *p)
{
    _cleanup_error_ struct error err = { 0 };
    _cleanup_ruleset_ struct ruleset rs = { 0 };
    if (ruleset_build_agent(p, &rs, &err) < 0)
        return NULL;

    struct text t = { 0 };
    text_addf(&t, "table inet %s {\n\tchain %s {\n", RULESET_TABLE, p->chain);
    for (size_t i = 0; i < rs.rule_count; i++) {
        text_add(&t, "\t\t");
        add_rule(&t, &rs.rules[i]);
        text_add(&t, "\n");
    }
    text_add(&t, "\t}\n}\n");
    return text_take(&t);
}
