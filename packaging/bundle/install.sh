#!/bin/bash
# Install OmniCRM TUI on a Debian 12 host without a network, from the folder that this script lies in.
# Runs again without harm: what is there is kept, a newer version goes beside the older one.
set -euo pipefail
umask 022
PATH=$PATH:/usr/sbin:/sbin

usage() {
    cat <<'TEXT'
Usage: install.sh [--prefix DIR] [--home DIR]
       install.sh --uninstall [--prefix DIR]

As root and without --prefix: the program goes to /opt, `omnicrm` to /usr/local/bin, the state to /var/lib/omnicrm,
all of it run by the account omnicrm; systemd units are installed where systemd is, and not started.

  --prefix DIR   put everything below DIR instead (the command is DIR/bin/omnicrm): no account, no units, no root
  --home DIR     the state folder
  --uninstall    take away programs, command and units; the account and the state stay
TEXT
}

say() { printf '%s\n' "$*"; }
fail() {
    printf 'install.sh: %s\n' "$*" >&2
    exit 1
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
prefix="" home="" uninstall=""
while (($#)); do
    case $1 in
        --prefix | --home)
            [[ ${2:-} == /* ]] || fail "$1 needs a folder that begins with /"
            printf -v "${1#--}" '%s' "${2%/}"
            shift
            ;;
        --uninstall) uninstall=yes ;;
        -h | --help) usage && exit ;;
        *) usage >&2 && exit 2 ;;
    esac
    shift
done

if [[ -n $prefix ]]; then
    account="" commands=$prefix/bin
else
    ((EUID == 0)) || fail "without --prefix this needs root: sudo $0"
    prefix=/opt account=omnicrm commands=/usr/local/bin
    home=${home:-/var/lib/omnicrm}
fi
units=/etc/systemd/system
current=$prefix/omnicrm-current

uninstall() {
    if [[ -n $account && -d /run/systemd/system ]]; then
        systemctl disable --now --quiet omnicrm-server omnicrm-worker omnicrm-lab 2>/dev/null || true
    fi
    [[ -z $account ]] || rm -f "$units"/omnicrm-{server,worker,lab}.service
    rm -f "$commands/omnicrm" "$current"
    local version
    for version in "$prefix"/omnicrm-*/; do
        # Nothing but what an installation of ours left its mark in.
        [[ ! -e $version/.omnicrm ]] || rm -rf "$version"
    done
    [[ ! -d /run/systemd/system || -z $account ]] || systemctl daemon-reload
    say "OmniCRM is uninstalled.${home:+ The state in $home was kept; delete it by hand when it is not needed.}"
}

check_files() {
    (cd "$here" && sha256sum --quiet --strict --check SHA256SUMS) ||
        fail "the files are not those that were packed: copy the archive again"
}

install_packages() { # the .deb files of what is not there, dependencies included
    local package file missing=()
    [[ -n $account && -d $here/debs ]] && command -v dpkg >/dev/null || return 0
    for file in "$here"/debs/*.deb; do
        package=$(dpkg-deb --field "$file" Package)
        [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
            missing+=("$file")
    done
    ((${#missing[@]})) || return 0
    say "Installing system packages: ${#missing[@]}"
    DEBIAN_FRONTEND=noninteractive dpkg --install "${missing[@]}" >"$here.dpkg.log" 2>&1 ||
        fail "system packages could not be installed: $here.dpkg.log says why"
    rm -f "$here.dpkg.log"
}

find_python() {
    local name
    # Debian's comes first: one in somebody's home may not be for other accounts to run.
    for name in ${PYTHON:-} /usr/bin/python3.11 python3.11 python3; do
        if "$name" -c 'import sys, venv, ssl, sqlite3; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
            "$name" -c 'import sys; print(getattr(sys, "_base_executable", sys.executable))'
            return
        fi
    done
    fail "Python 3.11 is missing (Debian package python3.11)"
}

install_program() { # python, where to
    local python=$1 place=$2
    # A virtual environment knows its own path, so it is made in place; the mark is written last.
    rm -rf "$place"
    mkdir -p "$place"
    touch "$place/.omnicrm"
    say "Installing the program into $place"
    "$python" -I -m venv --without-pip "$place"
    PYTHONPATH=$(echo "$here"/pip-*.whl) "$place/bin/python" -m pip install --quiet --no-compile --no-index \
        --no-cache-dir --disable-pip-version-check --root-user-action=ignore \
        --require-hashes --no-deps --find-links "$here/wheels" -r "$here/requirements.txt"
    "$place/bin/python" -I -X no_debug_ranges "$here/compile_bytecode.py" "$place"/lib/python3.11/site-packages
    cp -r "$here/docs" "$here/packaging" "$place/"
    cp "$here/SHA256SUMS" "$place/.omnicrm"
}

make_account() {
    getent passwd "$account" >/dev/null ||
        # A shell is needed to connect over SSH (docs/ssh.md); no password fits `*`.
        useradd --system --user-group --home-dir "$home" --no-create-home --shell /bin/sh --password '*' "$account"
}

check_account() { # where the program is: whether the account can run it
    runuser -u "$account" -- "$1/bin/python" -I -c "" 2>/dev/null ||
        fail "the account $account may not run $(readlink -f "$1/bin/python"): install Debian's package python3.11"
}

link() { # target, name: replaced in one step, so that there is always a current version
    ln -s "$1" "$2.new.$$"
    mv -T "$2.new.$$" "$2"
}

install_command() {
    mkdir -p "$commands"
    sed -e "s|@PREFIX@|$prefix|; s|@ACCOUNT@|$account|; s|@HOME@|$home|" "$here/packaging/bundle/omnicrm" \
        >"$commands/omnicrm.new.$$"
    chmod 755 "$commands/omnicrm.new.$$"
    mv -T "$commands/omnicrm.new.$$" "$commands/omnicrm"
}

install_units() {
    [[ -n $account ]] && command -v systemctl >/dev/null || return 0
    local unit
    mkdir -p "$units"
    for unit in "$here"/packaging/systemd/*.service; do
        sed -e "s|/var/lib/omnicrm|$home|g" "$unit" >"$units/${unit##*/}"
    done
    [[ ! -d /run/systemd/system ]] || systemctl daemon-reload
}

name_missing_libraries() {
    "$here/system_libraries" || true
}

say_next() {
    local command=$commands/omnicrm
    [[ -z $account ]] || command="sudo omnicrm"
    say "OmniCRM $version is ready."
    if [[ -n $home && (-e $home/config.yaml || -e $home/omnicrm.sqlite) ]]; then
        say "Next: $command db check, then \"Upgrading\" in $place/docs/install.md"
    else
        say "Next: $command"
        say "It asks a few questions and leads to the login."
        say "All else: $place/docs/install.md"
    fi
}

if [[ -n $uninstall ]]; then
    uninstall
    exit
fi

[[ $(uname -m) == x86_64 ]] || fail "these packages are for x86_64, this machine is $(uname -m)"
check_files
install_packages
version=$(<"$here/VERSION")
place=$prefix/omnicrm-$version
if cmp -s "$here/SHA256SUMS" "$place/.omnicrm"; then
    say "Version $version is installed in $place"
else
    install_program "$(find_python)" "$place"
fi
if [[ -n $account ]]; then
    make_account
    check_account "$place"
fi
if [[ -n $home ]]; then
    [[ -d $home ]] || mkdir -p "$home"
    chmod 700 "$home"
    [[ -z $account ]] || chown "$account:$account" "$home"
fi
link "omnicrm-$version" "$current"
install_command
install_units
name_missing_libraries
say_next
