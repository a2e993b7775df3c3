# Bash completion for agentctl. Knows no verb, option or key of its own: it asks "agentctl help --tables".

_agentctl_column() { # KIND VERB COLUMN: of the rows of one verb
	awk -F '\t' -v kind="$1" -v verb="$2" -v column="$3" '$1 == kind && $2 == verb { print $column }' <<<"$tables"
}

# The words that a key's option takes, if it is one of a few.
_agentctl_choices() { # OPTION
	awk -F '\t' -v option="$1" '
		$1 == "key" && $4 == option { key = $2 "." $3 }
		$1 == "choice" && $2 == key && key != "" { print $3 }' <<<"$tables"
}

_agentctl_templates() {
	local directory
	directory=$(awk -F '\t' '$1 == "templates" { print $2 }' <<<"$tables")
	_agentctl_names /etc/agentctl/templates "$directory"
}

_agentctl_names() { # DIRECTORY...: of the *.agent files there
	local file
	for file in "${@/%//*.agent}"; do
		compgen -G "$file"
	done | sed 's|.*/||; s|\.agent$||'
}

_agentctl_value() { # OPTION: what may follow it
	case $1 in
	--json) echo short pretty off ;;
	--output | -o) echo short json cat ;;
	--template) _agentctl_templates ;;
	--lines | -n) echo all ;;
	*) _agentctl_choices "${1#--}" ;;
	esac
}

_agentctl() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} tables verb words i
	COMPREPLY=()
	tables=$(agentctl help --tables 2>/dev/null) || return
	if ((COMP_CWORD == 1)); then
		words=$(awk -F '\t' '$1 == "verb" { print $2 }' <<<"$tables")
		mapfile -t COMPREPLY < <(compgen -W "$words --help --version" -- "$word")
		return
	fi
	for ((i = 2; i < COMP_CWORD; i++)); do
		[[ ${COMP_WORDS[i]} == -- ]] && return # the command's own words: as bash completes them
	done
	verb=${COMP_WORDS[1]}
	# "--json=sh" arrives as the words --json, = and sh.
	if [[ $word == = ]]; then
		word='' before=${COMP_WORDS[COMP_CWORD - 1]}
	elif [[ $before == = ]]; then
		before=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	if [[ $before == -* && $before != -- ]] && words=$(_agentctl_value "$before") && [[ $words ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
	elif [[ $before == --file ]]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
	elif [[ $word == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_agentctl_column option "$verb" 4 | sed 's/^/--/')" -- "$word")
	elif [[ $verb != create ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_agentctl_names /etc/agentctl/agents)" -- "$word")
	fi
}

complete -o default -F _agentctl agentctl
