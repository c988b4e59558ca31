# shellcheck shell=bash
# What the scripts in this folder share: steps with their times, a table at the end, and ways to find things, so that
# a new module, example or fuzz test is covered without being listed anywhere. Sourced from the repository's root.

scratch=$(mktemp -d)
rows=()
passed=0 failed=0 skipped=0
only=() # words of step names; none means all steps
background=()

cleanup() {
	local pid
	for pid in "${background[@]}"; do kill "$pid" 2>/dev/null || true; done
	rm -rf "$scratch"
}
trap cleanup EXIT

# step NAME COMMAND... is always, for steps that are wanted.
step() { if wanted "$1"; then always "$@"; fi; }

wanted() {
	local word
	((${#only[@]} > 0)) || return 0
	for word in "${only[@]}"; do [[ $1 == *"$word"* ]] && return 0; done
	return 1
}

# always NAME COMMAND... runs COMMAND in a subshell of its own and goes on if it fails. Status 77 means skipped.
always() {
	local name=$1 start=$SECONDS status=0 verdict
	shift
	printf '\n=== %s\n' "$name"
	set +e
	(
		set -e
		trap - EXIT
		"$@"
	)
	status=$?
	set -e
	case $status in
	0) verdict=ok passed=$((passed + 1)) ;;
	77) verdict=skipped skipped=$((skipped + 1)) ;;
	*) verdict=FAILED failed=$((failed + 1)) ;;
	esac
	rows+=("$(printf '%-44s %-8s %4d s' "$name" "$verdict" $((SECONDS - start)))")
	printf -- '--- %s: %s after %d s\n' "$name" "$verdict" $((SECONDS - start))
}

# skip REASON... ends the step that calls it.
skip() {
	printf 'skipped: %s\n' "$*"
	exit 77
}

# summary prints the table and returns 1 if a step failed.
summary() {
	printf '\n=== Summary\n'
	printf '%s\n' "${rows[@]}"
	printf 'in all %d s\n\n%d passed, %d failed, %d skipped\n' "$SECONDS" "$passed" "$failed" "$skipped"
	((failed == 0))
}

have() { command -v "$1" >/dev/null; }

# files PATTERN... lists tracked and new files, ignored ones apart.
files() {
	local file
	git ls-files --cached --others --exclude-standard -- "$@" | while read -r file; do
		if [[ -f $file ]]; then printf '%s\n' "$file"; fi
	done
}

# modules lists the folders of all modules, with those that go.work does not know; the tools of this folder apart.
modules() {
	files go.mod '*/go.mod' | grep -v -e '^\.ci/' -e 'testdata/' | xargs -n 1 dirname | sort -u
}

# each_module COMMAND... runs COMMAND in the folder of every module, and fails if one of them failed.
each_module() {
	local dir ok=0
	for dir in $(modules); do
		(cd "$dir" && "$@") || { printf 'in %s: %s\n' "$dir" "$*"; ok=1; }
	done
	return $ok
}

# programs lists the folders of the main packages of all modules, relative to the root.
programs() {
	local dir
	for dir in $(modules); do
		go -C "$dir" list -f '{{if eq .Name "main"}}{{.Dir}}{{end}}' ./...
	done | sed "s#^$PWD/##"
}

# module_of FOLDER prints the folder of the module that FOLDER belongs to.
module_of() {
	local dir=$1
	until [[ -f $dir/go.mod ]]; do dir=$(dirname "$dir"); done
	printf '%s\n' "$dir"
}

# build FOLDER builds the program in FOLDER, within its own workspace, and prints where.
build() {
	local out="$scratch/bin/${1//\//-}"
	go -C "$(module_of "$1")" build -o "$out" "$PWD/$1" && printf '%s\n' "$out"
}
