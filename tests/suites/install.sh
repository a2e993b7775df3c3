#!/bin/bash
# What the installation put where: programs, templates, man pages, completion; and that they work from there.
# shellcheck source=tests/suites/lib.sh
. "$(dirname "$0")/lib.sh"

binary=$(command -v agentctl)
prefix=${binary%/bin/agentctl}
verbs="create start stop restart destroy apply list status logs show"

launcher_is_installed() {
	local launcher
	launcher=$prefix/libexec/agentctl/launch
	[ -x "$launcher" ] || fail "no launcher"
	same "root:root 755" "$(stat -c '%U:%G %a' "$launcher")" launcher
	same "root:root 755" "$(stat -c '%U:%G %a' "$binary")" agentctl
	lacks . "$(find "$binary" "$launcher" -perm /6000)"
	lacks 'not found' "$(ldd "$binary" "$launcher")"
}

templates_are_installed() {
	local template name
	for template in "$prefix"/share/agentctl/templates/*.agent; do
		name=${template##*/}
		agentctl create "t-${name%.agent}" --template "${name%.agent}" --dry-run -- /bin/true
	done
	[ -e "$prefix/share/agentctl/templates/python.agent" ] || fail "no template python"
}

man_pages_are_installed() {
	local page
	[ -e "$prefix/share/man/man1/agentctl.1" ] || [ -e "$prefix/share/man/man1/agentctl.1.gz" ] ||
		[ -e "$prefix/share/man/man8/agentctl.8" ] || fail "no page of the command"
	for page in "$prefix"/share/man/man*/agentctl*; do
		contains '^\.TH' "$(zcat -f "$page")"
	done
}

help_is_there() {
	local verb overview
	overview=$(agentctl --help)
	for verb in $verbs; do
		contains "^ +$verb( |\$)" "$overview"
		contains "$verb" "$(agentctl "$verb" --help)"
	done
	contains '[0-9]+\.[0-9]+' "$(agentctl --version)"
}

completion_completes() {
	local file
	file=$(find "$prefix/share/bash-completion/completions" -name agentctl)
	[ -n "$file" ] || fail "no completion"
	# shellcheck disable=SC2016
	same create "$(bash -c '
		. "$1" 2>/dev/null
		function=$(complete -p agentctl | sed "s/.*-F \([^ ]*\).*/\1/")
		COMP_WORDS=(agentctl cre) COMP_CWORD=1 COMP_LINE="agentctl cre" COMP_POINT=12 COMPREPLY=()
		$function agentctl cre agentctl
		echo "${COMPREPLY[@]}" | sed "s/ *$//"' completion "$file")" "completion of cre"
}

slice_is_known() { contains '^loaded$' "$(unit_property agents.slice LoadState)"; }

check "programs are root's, not setuid, and find their libraries" launcher_is_installed
check "templates are found" templates_are_installed
check "man pages are pages" man_pages_are_installed
check "--help and --version" help_is_there
check "bash completes verbs" completion_completes
check "agents.slice is known to systemd" slice_is_known
suite_end
