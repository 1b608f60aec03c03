<#
.SYNOPSIS
  Installs the node agent for the person who runs this, as a scheduled task that starts when they log on.
.DESCRIPTION
  A task in the person's own session, not a service: only there can Windows say whether a full-screen game runs, when
  the last key was pressed, and whether the microphone is in use. Needs no administrator. Run it in the repository:
    powershell -ExecutionPolicy Bypass -File deploy\windows\install-tip-agent.ps1
  Remove it:
    Unregister-ScheduledTask -TaskName tip-agent -Confirm:$false
.PARAMETER Python
  Python 3.11 or newer.
.PARAMETER Port
  Where it listens, on 127.0.0.1.
#>
param(
  [string]$Python = "python",
  [ValidateRange(1, 65535)][int]$Port = 8765
)
$ErrorActionPreference = "Stop"

$home_folder = Join-Path $env:LOCALAPPDATA "tip-agent"
$source = Join-Path (Split-Path -Parent (Split-Path -Parent $PSScriptRoot)) "node_agent"

& $Python -m venv $home_folder
if ($LASTEXITCODE -ne 0) { throw "Python 3.11 or newer was not found; give it as -Python C:\path\to\python.exe" }
& (Join-Path $home_folder "Scripts\python.exe") -m pip install --quiet --upgrade $source
if ($LASTEXITCODE -ne 0) { throw "pip could not install $source; its own message is above" }

# pythonw has no console window.
$action = New-ScheduledTaskAction -Execute (Join-Path $home_folder "Scripts\pythonw.exe") `
  -Argument "-m node_agent run --port $Port" -WorkingDirectory $home_folder
$trigger = New-ScheduledTaskTrigger -AtLogOn -User "$env:USERDOMAIN\$env:USERNAME"
$settings = New-ScheduledTaskSettingsSet -AllowStartIfOnBatteries -DontStopIfGoingOnBatteries `
  -ExecutionTimeLimit ([TimeSpan]::Zero) -RestartCount 10 -RestartInterval (New-TimeSpan -Minutes 1) `
  -MultipleInstances IgnoreNew -Priority 7
$principal = New-ScheduledTaskPrincipal -UserId "$env:USERDOMAIN\$env:USERNAME" -LogonType Interactive -RunLevel Limited
Register-ScheduledTask -TaskName "tip-agent" -Action $action -Trigger $trigger -Settings $settings `
  -Principal $principal -Description "Says how this machine is, on http://127.0.0.1:$Port/v1/report" -Force | Out-Null
Start-ScheduledTask -TaskName "tip-agent"
Write-Output "tip-agent runs; see http://127.0.0.1:$Port/v1/report"
