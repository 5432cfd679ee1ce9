# Packages of another suite of Debian, unpacked into a directory of their own. Nothing of them is installed.

# unpack_suite SUITE DIRECTORY PACKAGE…: with all that they depend on, from the mirror that apt uses.
unpack_suite() {
  local suite=$1 root=$2 mirror package
  shift 2
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 'Label: Debian' | head -n 1)
  mkdir -p "$root/apt/lists/partial" "$root/apt/cache/archives/partial"
  : >"$root/apt/status"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$root/apt/sources.list"
  local apt=(apt-get -qq -o "Dir::Etc::sourcelist=$root/apt/sources.list" -o Dir::Etc::sourceparts=-
             -o "Dir::State::lists=$root/apt/lists" -o "Dir::State::status=$root/apt/status"
             -o "Dir::Cache=$root/apt/cache" -o APT::Install-Recommends=false -o APT::Sandbox::User=root)
  "${apt[@]}" update
  "${apt[@]}" --yes --download-only install "$@"
  for package in "$root"/apt/cache/archives/*.deb; do dpkg-deb -x "$package" "$root"; done
}

# use_libraries DIRECTORY MORE FILE…: these programs and libraries find theirs beneath it, and those that are not there in
# the directory MORE. Needs patchelf.
use_libraries() {
  local root=$1 more=$2 file
  shift 2
  for file in "$@"; do
    patchelf --force-rpath --set-rpath "$root/usr/lib/x86_64-linux-gnu${more:+:$more}" "$file" 2>/dev/null || continue
    patchelf --set-interpreter "$root/usr/lib64/ld-linux-x86-64.so.2" "$file" 2>/dev/null || true  # a library has none
  done
}
