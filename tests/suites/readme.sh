#!/bin/bash
# Every command of README's `sh` blocks does what it says there, word for word; its spec is one.
# shellcheck source=tests/suites/lib.sh
. "$(dirname "$0")/lib.sh"

readme=$(find /usr/share/doc/agentctl /usr/local/share/doc/agentctl -name README.md 2>/dev/null | head -n 1)
sudo() { "$@"; }

block() { # LANGUAGE: the lines of all such blocks
	awk -v fence="\`\`\`$1" '$0 == fence { on = 1; next } /^```/ { on = 0 } on' "$readme"
}

it_is_installed() { test -s "$readme"; }
need it_is_installed
cd "$scratch" || exit 1
block ini >reader.agent

check "README has a spec and commands" test -s reader.agent -a -n "$(block sh)"
while IFS= read -r line; do
	check "README: $line" eval "$line"
done < <(block sh)

nothing_is_left() {
	same 0 "$(agentctl list --json=short | jq length)" agents
	lacks '^agent-' "$(getent passwd)"
}
check "README leaves nothing behind" nothing_is_left

all_verbs() {
	local verb
	for verb in $(agentctl --help | grep -oE '^ +(create|start|stop|restart|destroy|apply|list|status|logs|show) ' | tr -d ' '); do
		contains "\`$verb" "$(cat "$readme")"
	done
}
check "README names every verb" all_verbs
suite_end
