"""The script of every seeded step: it works and waits as long as asked for, and fails when the deployment says so."""

from typing import Literal

import msgspec


class Labour(msgspec.Struct, frozen=True):
    """What each step does before it ends."""

    #: MiB that it hashes.
    work: int = 0
    #: Seconds that it then waits.
    wait: int = 0


#: A step that does nothing.
IDLE = Labour()

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
#: Waiting needs no CPU, as most of what deployments do: for a service to stop, a copy, a health page.
_BASH_WAIT = """\
sleep {seconds}
"""
_POWERSHELL_WORK = """\
$block = [byte[]]::new(1MB)
$hash = [Security.Cryptography.IncrementalHash]::CreateHash("SHA256")
for ($i = 0; $i -lt {mebibytes}; $i++) {{ $hash.AppendData($block) }}
Write-Output ([BitConverter]::ToString($hash.GetHashAndReset()))
"""
_POWERSHELL_WAIT = """\
Start-Sleep -Seconds {seconds}
"""


def script(syntax: Literal["Bash", "PowerShell"], labour: Labour = IDLE) -> str:
    """Return the script in one of the two languages that Octopus brings along."""
    bash = syntax == "Bash"
    body, work, wait = (BASH, _BASH_WORK, _BASH_WAIT) if bash else (POWERSHELL, _POWERSHELL_WORK, _POWERSHELL_WAIT)
    worked = work.format(bytes=labour.work * 2**20, mebibytes=labour.work) if labour.work else ""
    waited = wait.format(seconds=labour.wait) if labour.wait else ""
    return worked + waited + body
