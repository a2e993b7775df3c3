#!/bin/bash
# A kernel without nftables: no rules, no start. Needs a boot of its own, because what is loaded does not go away.
# shellcheck source=tests/suites/lib.sh
. "$(dirname "$0")/lib.sh"

blocker=/etc/modprobe.d/suite-no-nftables.conf

case ${1:-} in
"")
	need agentctl create stopped -- /bin/sleep 100000
	need agentctl start stopped
	for module in nf_tables nfnetlink; do
		echo "install $module /bin/false"
	done >$blocker
	trap - EXIT
	echo "reboot without"
	exit 0
	;;
esac

clear_line() { # REGEX COMMAND...
	local regex=$1 said
	shift
	said=$(changes_nothing refused 1 "$@") || { echo "$said"; return 1; }
	echo "$said"
	contains "$regex" "$said"
}

it_is_missing() { ! nft list tables 2>/dev/null || fail "nftables is there"; }

nothing_runs() {
	lacks . "$(processes_of "$(uid_of stopped)")"
	status_is 3 agentctl status stopped
}

need it_is_missing
check "start is refused with one line" clear_line 'nf_tables|nftables' agentctl start stopped
check "create is refused with one line" clear_line 'nf_tables|nftables' agentctl create new -- /bin/true
check "nothing runs without rules" nothing_runs
check "list still works" agentctl list
rm $blocker
modprobe nf_tables
check "with nftables again it starts" agentctl start stopped
suite_end
