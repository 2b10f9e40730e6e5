"""A bar chart of daily totals as PNG, drawn by the C library Cairo.

Cairo is a Debian package, and this image has its own Debian and Python: see image.yaml.

    task.py --totals '{"2026-01-01": 123.5, …}' --labels '{"2026-01-01": "usual", …}'

XCom: {"python": version, "cairo": version, "png": base64}.
"""

import argparse
import base64
import io
import json
import platform
from pathlib import Path

import cairocffi

XCOM = Path("/airflow/xcom/return.json")
WIDTH, HEIGHT = 420, 140  # pixels
COLOURS = {"usual": (0.35, 0.55, 0.75), "high": (0.80, 0.30, 0.25), "low": (0.90, 0.70, 0.20)}


def draw(totals: dict[str, float], labels: dict[str, str]) -> bytes:
    """One bar a day, coloured by its label."""
    surface = cairocffi.ImageSurface(cairocffi.FORMAT_RGB24, WIDTH, HEIGHT)
    context = cairocffi.Context(surface)
    context.set_source_rgb(1, 1, 1)
    context.paint()
    step, most = WIDTH / len(totals), max(totals.values())
    for number, (day, total) in enumerate(sorted(totals.items())):
        height = HEIGHT * total / most
        context.rectangle(number * step + 1, HEIGHT - height, step - 2, height)
        context.set_source_rgb(*COLOURS[labels[day]])
        context.fill()
    file = io.BytesIO()
    surface.write_to_png(file)
    return file.getvalue()


def main() -> None:
    """Write the picture to the XCom file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--totals", type=json.loads, required=True)
    parser.add_argument("--labels", type=json.loads, required=True)
    options = parser.parse_args()
    png = draw(options.totals, options.labels)
    cairo = cairocffi.cairo_version_string()
    print(f"Python {platform.python_version()}, Cairo {cairo}: a PNG of {len(png)} bytes")
    result = {
        "python": platform.python_version(),
        "cairo": cairo,
        "png": base64.b64encode(png).decode(),
    }
    XCOM.write_text(json.dumps(result))


if __name__ == "__main__":
    main()
