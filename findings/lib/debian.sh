# Sourced by findings that need other versions than this machine's Debian has.

# debian DIRECTORY SUITE PACKAGE[=VERSION]…: unpacks packages and what they depend on into DIRECTORY/root; none of their scripts runs.
debian() {
  local root=$1 suite=$2 mirror
  shift 2
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | head -n 1)
  mkdir -p "$root/apt/lists/partial" "$root/apt/archives/partial" "$root/root"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" > "$root/apt/sources"
  : > "$root/apt/status"
  local options=(-qq -y -o "Dir::Etc::SourceList=$root/apt/sources" -o Dir::Etc::SourceParts=/dev/null -o "Dir::State::Lists=$root/apt/lists"
    -o "Dir::State::Status=$root/apt/status" -o "Dir::Cache=$root/apt" -o Acquire::Check-Valid-Until=false -o APT::Sandbox::User=root
    -o APT::Install-Recommends=false -o Debug::NoLocking=true)
  apt-get "${options[@]}" update
  apt-get "${options[@]}" --download-only install libc-bin "$@" >/dev/null || { echo "$* is not to be had in $suite" >&2; exit 1; }
  mkdir -p "$root/root/usr/bin" "$root/root/usr/lib" "$root/root/usr/sbin" "$root/root/usr/lib64"
  for directory in bin lib sbin lib64; do ln -sfn "usr/$directory" "$root/root/$directory"; done
  for package in "$root"/apt/archives/*.deb; do dpkg-deb --fsys-tarfile "$package" | tar -x -C "$root/root" --keep-directory-symlink; done
  chroot "$root/root" /sbin/ldconfig
}
