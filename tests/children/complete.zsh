#!/usr/bin/env zsh
# What zsh offers for the line $2, one a line, with the completion functions of the folder $1: a shell on
# a terminal of its own gets the line and a TAB, and writes down what its completion adds.
zmodload zsh/zpty
zpty shell zsh -f -i
setup=$(mktemp)
cat > $setup <<'EOF'
PROMPT=
autoload -U compinit && compinit -u -D
bindkey '^I' complete-word
bindkey '^M' undefined
bindkey '^J' undefined
zstyle ':completion:*' insert-tab false
begin-and-end() { print -rn -- $'\0' }
compprefuncs=(begin-and-end)
comppostfuncs=(begin-and-end exit)
compadd() {
    if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return; fi
    local -a offered
    builtin compadd -A offered "$@"
    (( $#offered )) && print -rl -- $offered
    builtin compadd "$@"
}
print ready
EOF
zpty -w shell "fpath=($1 \$fpath); source $setup"
while zpty -r shell answer; do [[ $answer == *ready* ]] && break; done
rm -f $setup
zpty -w -n shell "$2"$'\t'
text=
while zpty -r shell answer; do text+=$answer; [[ $text == *$'\0'*$'\0'* ]] && break; done
print -r -- ${${text#*$'\0'}%%$'\0'*}
zpty -d shell
