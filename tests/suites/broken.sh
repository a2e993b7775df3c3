#!/bin/bash
# What is broken or was tampered with: it never keeps an agent from being stopped and removed, it never gets an agent
# started as if all were well, and what is shown is what runs.
# shellcheck source=tests/suites/lib.sh
. "$(dirname "$0")/lib.sh"

# --- ending --------------------------------------------------------------------------------------------------------

stop_with_a_broken_spec() {
	local uid
	agent_up crumb
	uid=$(uid_of crumb)
	echo 'Bogus=1' >>/etc/agentctl/agents/crumb.agent
	contains 'Bogus=: unknown key' "$(refused 2 agentctl start crumb)"
	agentctl stop crumb
	no_process_of "$uid"
	unit_is agents-crumb.slice inactive
	agentctl destroy crumb
	nothing_left crumb "$uid"
}
check "an agent with a broken spec is stopped and destroyed" stop_with_a_broken_spec

stop_without_a_spec() {
	local uid
	agent_up bare
	uid=$(uid_of bare)
	rm /etc/agentctl/agents/bare.agent
	contains '^bare +running' "$(agentctl list --no-legend)"
	agentctl stop bare
	no_process_of "$uid"
	contains '^bare +incomplete' "$(agentctl list --no-legend)"
	contains 'spec .* is missing' "$(refused 1 agentctl start bare)"
	agentctl destroy bare
	nothing_left bare "$uid"
}
check "an agent without a spec is listed, stopped and destroyed" stop_without_a_spec

stop_without_the_operators() {
	local uid
	groupadd agent-operators
	printf '[Host]\nOperatorGroup=agent-operators\n' >/etc/agentctl/agentctl.conf
	agent_up tended
	uid=$(uid_of tended)
	groupdel agent-operators
	contains 'OperatorGroup=: no group' "$(refused 2 agentctl apply tended)"
	agentctl stop tended
	no_process_of "$uid"
	agentctl destroy tended
	rm /etc/agentctl/agentctl.conf
	nothing_left tended "$uid"
}
check "an agent whose operators' group is gone is stopped and destroyed" stop_without_the_operators

# What a destroy leaves that is killed between its steps.
killed_destroy_stays_dead() {
	local uid
	agent_create ghost
	uid=$(uid_of ghost)
	rm -r /etc/agentctl/agents/ghost.agent "$workspaces/ghost"
	contains "ghost.agent is missing" "$(status_is 1 agentctl apply)"
	[ ! -e "$workspaces/ghost" ] || fail "apply has made it again"
	contains '^ghost +incomplete' "$(agentctl list --no-legend)"
	agentctl destroy ghost
	nothing_left ghost "$uid"
	contains 'no such agent' "$(refused 4 agentctl destroy ghost)"
}
check "a destroy that was killed is not taken back by apply, and is finished by destroy" killed_destroy_stays_dead

# --- starting ------------------------------------------------------------------------------------------------------

foreign_unit() {
	printf '[Service]\nExecStart=/bin/sleep 600\n' >/etc/systemd/system/agent-other.service
	systemctl daemon-reload
	systemctl start agent-other.service
	contains 'agent-other.service is a unit of this host' "$(changes_nothing refused 1 agentctl create other -- /bin/true)"
	unit_is agent-other.service active
}
check "a unit of the host's own with the agent's name is left alone" foreign_unit
systemctl stop agent-other.service
rm -f /etc/systemd/system/agent-other.service
systemctl daemon-reload

tampered_account() {
	agent_create trusty
	usermod -aG sys agent-trusty
	contains 'sys' "$(refused 1 agentctl start trusty)"
	no_process_of "$(uid_of trusty)"
	gpasswd -d agent-trusty sys
	agent_start trusty
	agentctl destroy trusty
}
check "an agent whose user was put into a group does not start" tampered_account

# A spec that nobody has applied is made, started and taken back in one run: its UID has been used by then.
used_uid_is_retired() {
	local uid again
	spec_write brief Service.Command=/no/such/program
	cp "$scratch/brief.agent" /etc/agentctl/agents/brief.agent
	contains 'the command is not found' "$(status_is 1 agentctl start brief)"
	uid=$(awk '$2 == "brief" { print $1 }' /var/lib/agentctl/uids)
	contains "^$uid brief retired" "$(cat /var/lib/agentctl/uids)"
	agent_create after
	again=$(uid_of after)
	[ "$again" -ne "$uid" ] || fail "UID $uid was given out again"
	agentctl destroy after
	rm /etc/agentctl/agents/brief.agent
}
check "a UID that a failed start has used is not given out again" used_uid_is_retired

one_failure_among_several() {
	local said
	agent_create good
	agentctl create bad -- /no/such/program
	said=$(agentctl start bad good bad --json=short 2>/dev/null) && fail "status 0 although one failed"
	unit_is agent-good.service active
	python3 - "$said" <<-'END'
		import json, sys
		bad, good = json.loads(sys.argv[1])
		assert bad["agent"] == "bad" and "not found" in bad["error"], bad
		assert good["agent"] == "good" and good["error"] is None and good["changed"], good
	END
	agentctl destroy bad good
}
check "of several agents one fails, the others get their turn" one_failure_among_several

# --- what is shown is what runs ------------------------------------------------------------------------------------

limits_drift() {
	agent_up drift Resources.MemoryMax=200M
	systemctl set-property --runtime agents-drift.slice MemoryMax=100M
	contains 'MemoryMax 200M \(kernel: 100M\)' "$(agentctl status -n0 drift)"
	agentctl apply drift
	same 209715200 "$(cat "$(cgroup_of drift)/memory.max")" memory.max
	contains 'nothing to do' "$(agentctl apply drift)"
}
check "limits that somebody has changed are shown, and mended by apply" limits_drift

mode_that_runs() {
	sed -i '/^\[Agent\]/d; /^Mode=/d' /etc/agentctl/agents/drift.agent
	printf '[Agent]\nMode=minimal\n' >>/etc/agentctl/agents/drift.agent
	contains 'Mode: standard' "$(agentctl status -n0 drift)"
	contains 'Restart: due' "$(agentctl status -n0 drift)"
	contains 'agentctl restart drift' "$(agentctl apply drift 2>&1)"
	contains '^drift +running +standard' "$(agentctl list --no-legend)"
	agentctl restart drift
	agent_ready drift
	contains 'Mode: minimal' "$(agentctl status -n0 drift)"
	lacks 'Restart:' "$(agentctl status -n0 drift)"
}
check "list and status show the mode that runs, not the one that the spec has by now" mode_that_runs

loosened_while_it_runs() {
	agent_up loose Network.Egress=list Network.Allow=198.51.100.10:80
	contains answered "$(inside loose knock tcp 198.51.100.10 80)"
	lacks answered "$(inside loose knock tcp 203.0.113.5 80)"
	echo 'Allow=203.0.113.5:80' >>/etc/agentctl/agents/loose.agent
	agentctl apply loose
	contains answered "$(inside loose knock tcp 203.0.113.5 80)"
	sed -i '/203.0.113.5/d' /etc/agentctl/agents/loose.agent
	agentctl apply loose
	lacks answered "$(inside loose knock tcp 203.0.113.5 80)"
	contains answered "$(inside loose knock tcp 198.51.100.10 80)"
}
check "what Allow= gains and loses holds at once, in both filters" loosened_while_it_runs

# Over the bus an agent could ask logind to let it linger: outside its unit, without its limits, after its stop.
minimal_has_no_bus() {
	agent_up lingering Agent.Mode=minimal
	same closed "$(inside lingering sh 'busctl --system list >/dev/null 2>&1 && echo reached || echo closed')"
	agentctl stop lingering
	[ ! -e /var/lib/systemd/linger/agent-lingering ] || fail "it lingers"
}
check "an agent in minimal mode does not reach the system bus" minimal_has_no_bus

suite_end
