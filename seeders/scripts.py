"""The script of every seeded step: it does as much work as asked for, and fails when the deployment says so."""

from typing import Literal

#: Comments that make a deployment fail, on an Octopus Server as on the stand-in.
FAIL = "This deployment fails: its history says so."

#: Octopus gives a Bash script the function `get_octopusvariable`; the stand-in may give an environment variable.
BASH = f"""\
comments="${{OCTOPUS_DEPLOYMENT_COMMENTS:-}}"
if type get_octopusvariable >/dev/null 2>&1; then
  comments="$(get_octopusvariable "Octopus.Deployment.Comments")"
fi
if [ "$comments" = "{FAIL}" ]; then
  echo "$comments" >&2
  exit 1
fi
echo "Done."
"""

#: Octopus gives a PowerShell script the dictionary `$OctopusParameters`.
POWERSHELL = f"""\
$comments = $env:OCTOPUS_DEPLOYMENT_COMMENTS
if ($OctopusParameters) {{ $comments = $OctopusParameters["Octopus.Deployment.Comments"] }}
if ($comments -eq "{FAIL}") {{
  Write-Output $comments
  exit 1
}}
Write-Output "Done."
"""


#: Hashing zeros is work for the CPU alone: it needs no disk, no network and little memory.
_BASH_WORK = """\
head -c {bytes} /dev/zero | sha256sum
"""
_POWERSHELL_WORK = """\
$block = [byte[]]::new(1MB)
$hash = [Security.Cryptography.IncrementalHash]::CreateHash("SHA256")
for ($i = 0; $i -lt {mebibytes}; $i++) {{ $hash.AppendData($block) }}
Write-Output ([BitConverter]::ToString($hash.GetHashAndReset()))
"""


def script(syntax: Literal["Bash", "PowerShell"], work: int = 0) -> str:
    """Return the script in one of the two languages that Octopus brings along; it hashes `work` MiB first."""
    body, labour = (BASH, _BASH_WORK) if syntax == "Bash" else (POWERSHELL, _POWERSHELL_WORK)
    return (labour.format(bytes=work * 2**20, mebibytes=work) if work else "") + body
