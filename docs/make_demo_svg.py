"""Draw docs/demo.svg: what `hackles demo` shows a little after its first warning.

python docs/make_demo_svg.py
"""

import io
import re
from pathlib import Path

from rich.console import Console

from hackles.pace import paced
from hackles.pipeline import CallPipeline
from hackles.sinks.meter import Meter, opened
from hackles.types import Alert

_AFTER_S = 2.0


def main() -> None:
    """Play the sample until shortly after its first warning and export the meter."""
    with opened() as (recording, truth):
        meter = Meter(recording.duration_s or 0.0, truth["turns"])
        pipeline = CallPipeline()
        warned_s = float("inf")
        for customer, agent in paced(recording.blocks(), speed=1e6):
            for event in pipeline.push(customer, agent):
                meter.take(event)
                if isinstance(event, Alert):
                    warned_s = min(warned_s, event.time)
            meter.time = pipeline.duration_s
            if meter.time > warned_s + _AFTER_S:
                break
    console = Console(record=True, width=82, file=io.StringIO())
    console.print(meter)
    svg = console.export_svg(title="hackles demo")
    # No fonts from elsewhere: the picture must look the same without a network.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    (Path(__file__).parent / "demo.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
