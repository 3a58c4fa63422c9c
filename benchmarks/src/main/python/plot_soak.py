"""Draws what `semantic.jar soak ... --json` measured: active bytes and RSS after each swap.

Usage: plot_soak.py OUT.json PLOT.svg      needs nothing but Python
"""

import json
import sys

WIDTH, HEIGHT, LEFT, TOP, GAP = 900, 180, 70, 30, 40
MIB = 1 << 20


def panel(values, title, top):
    most = max(values) / MIB * 1.1
    x = lambda i: LEFT + (WIDTH - LEFT - 20) * i / max(1, len(values) - 1)
    y = lambda v: top + HEIGHT - HEIGHT * v / MIB / most
    out = [f'<text x="{LEFT}" y="{top - 8}">{title}</text>',
           f'<path d="M{LEFT} {top}V{top + HEIGHT}H{WIDTH - 20}" fill="none" stroke="#888"/>']
    for share in (0, 0.5, 1):
        out.append(f'<text x="{LEFT - 6}" y="{top + HEIGHT * (1 - share) + 4}" '
                   f'text-anchor="end">{most * share:,.0f}</text>')
    for parity, colour, model in ((0, "#c60", "B serves"), (1, "#06c", "A serves")):
        dots = "".join(f"M{x(i):.1f} {y(v):.1f}h.01" for i, v in enumerate(values) if i % 2 == parity)
        out.append(f'<path d="{dots}" stroke="{colour}" stroke-width="3" stroke-linecap="round"/>')
        out.append(f'<text x="{WIDTH - 20 - 90 * parity}" y="{top - 8}" fill="{colour}" '
                   f'text-anchor="end">{model}</text>')
    return out


def main():
    data = json.load(open(sys.argv[1]))
    lines = panel(data["memory"], "MLX's active memory after each swap, MiB", TOP)
    lines += panel(data["rss"], "Resident size of the process after each swap, MiB", TOP + HEIGHT + GAP)
    bottom = TOP + 2 * HEIGHT + GAP + 20
    lines.append(f'<text x="{WIDTH - 20}" y="{bottom}" text-anchor="end">{len(data["rss"])} swaps</text>')
    with open(sys.argv[2], "w") as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 10}" '
                   'font-family="sans-serif" font-size="12">\n'
                   '<rect width="100%" height="100%" fill="#fff"/>\n' + "\n".join(lines) + "\n</svg>\n")
    for parity, model in ((0, "B"), (1, "A")):
        for name in ("memory", "rss"):
            values = data[name][parity::2]
            tenth = max(1, len(values) // 10)
            print(model, name, "first tenth", max(values[:tenth]), "last tenth", max(values[-tenth:]))
    print("blocks", sorted(set(data["available_blocks"])), "wrong", data["wrong_model_answers"],
          "lost", data["lost_requests"], "handles", data["live_handles"])


if __name__ == "__main__":
    main()
