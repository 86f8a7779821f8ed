#!/usr/bin/env bash
# Calls that only an attack makes end the worker at once, and the log says which it was.
. "$(dirname "$0")/../hostile/lib.sh"

tries=$(sed -n 's/^[[:space:]]*{"\([a-z0-9_]*\)", *SYS_.*/\1/p' "$root/tests/hostile/signatures.c")
check "there are attempts" test "$(wc -w <<<"$tries")" -gt 40

for try in $tries; do
	attack signatures "only=$try"
	call=$(sed -n "s/^[[:space:]]*{\"$try\", *SYS_\([a-z0-9_]*\),.*/\1/p" "$root/tests/hostile/signatures.c")
	case $(report "$try") in
	"") pass "$try: the worker is ended" ;;
	"denied "*)
		# An errno is an acceptable answer where the kernel or the filter has one at
		# hand before the judge; what matters is that it is not done.
		fail "$try: answered $(report "$try"), and the worker went on"
		;;
	*) fail "$try: $(report "$try")" ;;
	esac
	check "$try: the log names the call" err_has "hostile.*$call|$call.*hostile"
	check "$try: broker and neighbour are unharmed" unharmed
done

for door in x32 int80; do
	attack architectures "only=$door"
	is "$door: the worker is ended" "$(report "$door")" ""
	check "$door: broker and neighbour are unharmed" unharmed
done
attack architectures only=vsyscall
check "vsyscall: broker and neighbour are unharmed" unharmed
finish
