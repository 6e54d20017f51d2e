#!/usr/bin/env bash
# Installs the executable of apisvc for this runner, if its checksum is that of the release.
set -euo pipefail

# field NAME: a string of package.json, which belongs to the same version as this script.
field() { sed -nE "s/^ *\"$1\": \"([^\"]+)\".*/\1/p" "$GITHUB_ACTION_PATH/package.json"; }
fail() { echo "::error title=apisvc::$1"; exit 2; }

version=${VERSION:-$(field version)}
version=${version#v}
repository=$(field url)
repository=${repository#git+}
case $RUNNER_OS-$RUNNER_ARCH in
  Linux-X64) platform=linux-x64 ;;
  Linux-ARM64) platform=linux-arm64 ;;
  macOS-X64) platform=macos-x64 ;;
  macOS-ARM64) platform=macos-arm64 ;;
  Windows-X64) platform=windows-x64 ;;
  *) fail "no executable for $RUNNER_OS $RUNNER_ARCH: install the npm package" ;;
esac

archive=apisvc-$version-$platform.tar.gz
folder=$RUNNER_TEMP/apisvc-$version
mkdir -p "$folder"
cd "$folder"
for file in checksums.txt "$archive"; do
  url=${repository%.git}/releases/download/v$version/$file
  curl -fsSL --retry 3 -o "$file" "$url" || fail "download failed: $url"
done
# macOS has only shasum.
if command -v sha256sum >/dev/null; then sum=(sha256sum); else sum=(shasum -a 256); fi
grep -F "  $archive" checksums.txt | "${sum[@]}" -c - || fail "$archive does not have the checksum of the release"
tar -xzf "$archive"
rm "$archive"
echo "$folder" >>"$GITHUB_PATH"
