"""The script of every seeded step: it takes milliseconds, and fails when the deployment's comments say so."""

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


def script(syntax: Literal["Bash", "PowerShell"]) -> str:
    """Return the script in one of the two languages that Octopus brings along."""
    return BASH if syntax == "Bash" else POWERSHELL
