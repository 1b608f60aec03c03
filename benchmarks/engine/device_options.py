"""The flags of the simulated device."""

import argparse
from pathlib import Path

FAULTS = ("error", "reset", "hang", "truncated")


def read_options() -> argparse.Namespace:
    """From the command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.engine.device")
    add = parser.add_argument
    add("--port", type=int, default=0, help="on 127.0.0.1; 0 takes any free one")
    add("--until-stdin-closes", action="store_true", help="end when whoever started it is gone")
    add("--tokens-per-second", type=float, default=100.0, help="of one stream alone")
    add("--knee", type=int, default=6, help="streams beyond which the total speed falls")
    add("--loss", type=float, default=0.03, help="share of the total speed lost with each stream beyond")
    add("--slots", type=int, default=32, help="streams at once")
    add("--when-full", choices=("queue", "429"), default="queue", help="what a request beyond the slots gets")
    add("--retry-after", help="header of a 429, as it is sent; without it there is none")
    add("--first-token-ms", type=float, default=0.0, help="silence before each answer")
    add("--time-scale", type=float, default=0.05, help="real seconds in a simulated one")
    add("--answer-tokens", type=int, default=600, help="mean; answers differ by 20 %% both ways")
    add("--chunk-tokens", type=int, default=1, help="tokens in one event of the stream")
    add("--plain", action="store_true", help="answer whole, whatever is asked")
    for kind in FAULTS:
        add(f"--{kind}-share", type=float, default=0.0, help=f"share of calls that end so: {kind}")
    add("--fault-seed", default="0")
    add("--schedule", type=Path, help='JSON list: [{"at": 60, "knee": 2}, {"at": 90, "away": "refuse"}, {"at": 120}]')
    return parser.parse_args()
