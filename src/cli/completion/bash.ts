/**
 * The script for bash. That of the package needs the package bash-completion, knows no `key=value`, and lets the shell expand
 * what it suggests.
 */
export const bashScript = String.raw`# Completion of r2po for bash: source <(r2po complete bash)
_r2po() {
  local line="\${COMP_LINE:0:COMP_POINT}" words word out directive flag="" prefix="" value about
  COMPREPLY=()
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  word="\${words[\${#words[@]}-1]}"
  out="$("\${words[0]}" complete -- "\${words[@]:1}" 2>/dev/null)" || return 0
  directive="\${out##*:}"
  [[ $word == --*=* ]] && flag="\${word%%=*}="
  # bash replaces only what stands behind the last character of COMP_WORDBREAKS.
  [[ $word == *[=:]* && $COMP_WORDBREAKS == *=* ]] && prefix="\${word%"\${word##*[=:]}"}"
  while IFS=$'\t' read -r value about; do
    [[ -n $value && $value != :* ]] && value="$flag$value" && COMPREPLY+=("\${value#"$prefix"}")
  done <<< "$out"
  [[ $directive == [0-9]* ]] && (( directive & 2 )) && compopt -o nospace 2>/dev/null
  return 0
}
complete -F _r2po r2po
`.replaceAll('\\$', '$');
