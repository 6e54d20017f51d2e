#!/usr/bin/env bash
# Installs the executable of apisvc for this runner. It first verifies the checksum of the release,
# and that the release workflow of the repository built the executable.
set -euo pipefail

# field NAME: a string of package.json, which belongs to the same version as this script.
field() { sed -nE "s/^ *\"$1\": \"([^\"]+)\".*/\1/p" "$GITHUB_ACTION_PATH/package.json"; }
fail() { echo "::error title=apisvc::$1"; exit 2; }

version=${VERSION:-$(field version)}
version=${version#v}
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || fail "invalid version \"${version//[^[:alnum:].+-]/?}\": use a version such as $(field version)"
repository=$(field url)
repository=${repository#git+}
repository=${repository%.git}
name=${repository#*://*/}
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
  url=$repository/releases/download/v$version/$file
  curl -fsSL --retry 3 --connect-timeout 20 --max-time 600 -o "$file" "$url" || fail "download failed: $url"
done
# macOS has only shasum.
if command -v sha256sum >/dev/null; then sum=(sha256sum); else sum=(shasum -a 256); fi
grep -F "  $archive" checksums.txt | "${sum[@]}" -c - || fail "the checksum of $archive does not match that of the release"

# gh needs a token for every request. The token of a job is valid only for its own GitHub server.
if [[ $repository != "$GITHUB_SERVER_URL/$name" ]]; then
  echo "::notice title=apisvc::provenance not verified: this runner has no token for $repository"
elif ! command -v gh >/dev/null; then
  echo "::notice title=apisvc::provenance not verified: GitHub CLI (gh) is not installed"
else
  workflow=$name/.github/workflows/release.yml
  gh attestation verify "$archive" --repo "$name" --signer-workflow "$workflow" --source-ref "refs/tags/v$version" ||
    fail "provenance of $archive not verified: see the output of gh. gh must be version 2.68 or newer"
fi

tar -xzf "$archive"
rm "$archive"
echo "$folder" >>"$GITHUB_PATH"
