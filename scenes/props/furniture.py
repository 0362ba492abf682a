"""Tables, walls and what stands and hangs in rooms. What hangs lies in the xz plane; everything faces -y."""

from __future__ import annotations

import numpy as np

from event_library.parts import Material, Part, Rgb, bevelled_box, block, box, cylinder, join
from scenes.props.shaping import DARK_WOOD, Params, at, material, three
from scenes.seeding import generator

PALE: Rgb = (0.62, 0.6, 0.56)
BOOK_RGBS: tuple[Rgb, ...] = (
    (0.42, 0.08, 0.06), (0.07, 0.16, 0.32), (0.1, 0.25, 0.14), (0.5, 0.34, 0.1), (0.3, 0.14, 0.28), (0.5, 0.46, 0.38),
)  # fmt: skip


def slab(params: Params) -> tuple[Part, ...]:
    """A box `size_m` [3] with its lower face on z = 0; optional pattern, pattern_rgb, pattern_size_m, roughness."""
    return (Part("slab", block(three(params["size_m"]), (0, 0, 0)), material(params)),)


def table(params: Params) -> tuple[Part, ...]:
    """A table with its top face on z = 0 (all else is below): `size_m` [3] is width, depth and height."""
    width, depth, height = three(params["size_m"])
    thick = min(0.04, height / 8)
    leg = 1.6 * thick
    parts = [Part("top", at(box((width, depth, thick)), (0, 0, -thick / 2)), material(params))]
    for i, (x, y) in enumerate(((-1, -1), (1, -1), (1, 1), (-1, 1))):
        mesh = box((leg, leg, height - thick))
        corner = (x * (width / 2 - leg), y * (depth / 2 - leg), -(height + thick) / 2)
        parts.append(Part(f"leg{i}", at(mesh, corner), Material(DARK_WOOD, roughness=0.6)))
    return tuple(parts)


def picture(params: Params) -> tuple[Part, ...]:
    """A framed picture that hangs in the xz plane and faces -y: `size_m` [2] is width and height."""
    width, height = params["size_m"]
    depth, rim = 0.02 * width, 0.08 * width
    frame = at(box((width, depth, height)), (0, 0, height / 2))
    canvas = at(box((width - 2 * rim, depth, height - 2 * rim)), (0, -0.3 * depth, height / 2))
    return (Part("frame", frame, Material(DARK_WOOD, roughness=0.4)), Part("canvas", canvas, material(params)))


def cabinet(params: Params) -> tuple[Part, ...]:
    """A low cabinet with two doors that faces -y: `size_m` [3]."""
    width, depth, height = three(params["size_m"])
    parts = [Part("body", block((width, depth, height), (0, 0, 0)), material(params))]
    for i, x in enumerate((-0.25, 0.25)):
        door = at(box((0.44 * width, 0.04 * depth, 0.84 * height)), (x * width, -depth / 2, height / 2))
        parts.append(Part(f"door{i}", door, Material((0.62, 0.56, 0.46), roughness=0.5)))
    return tuple(parts)


def ceiling(params: Params) -> tuple[Part, ...]:
    """A slab `size_m` [3] that is only looked at: the light of lamps and of the background comes through it."""
    return (Part("slab", block(three(params["size_m"]), (0, 0, 0)), material(params), backdrop=True),)


def disc(params: Params) -> tuple[Part, ...]:
    """A flat round thing (a rug, a plinth) of `size_m` [2] diameter and height."""
    diameter, height = params["size_m"]
    return (Part("disc", cylinder(diameter / 2, height, 48), material(params), smooth_angle_deg=35),)


def window(params: Params) -> tuple[Part, ...]:
    """A window with a sill and a view of hedge and sky, `size_m` [2] wide and high; `rgb` is that of its curtains."""
    width, height = params["size_m"]
    depth, bar = 0.03 * width, 0.05 * width
    panes = at(box((width, 0.2 * depth, 0.64 * height)), (0, 0, 0.68 * height))
    hedge = at(box((width, 0.2 * depth, 0.36 * height)), (0, 0, 0.18 * height))
    bars = [block((bar, depth, height), (x * (width - bar) / 2, 0, 0)) for x in (-1, 0, 1)]
    bars += [block((width, 0.9 * depth, bar), (0, 0, z)) for z in (0.0, 0.52 * height, height - bar)]
    sill = block((1.12 * width, 3.4 * depth, 0.5 * bar), (0, -1.2 * depth, -0.5 * bar))
    folds = []
    for side in (-1, 1):
        for i in range(5):
            x = side * (0.5 + 0.045 * (i + 0.5)) * width
            wide = 0.05 * width
            folds.append(block((wide, (1.0 + 0.7 * (i % 2)) * depth, 1.16 * height), (x, -1.6 * depth, -0.08 * height)))
    rod = block((1.6 * width, 0.6 * depth, 0.4 * bar), (0, -1.6 * depth, 1.08 * height))
    return (
        Part("sky", panes, Material((0.72, 0.85, 1.0), roughness=1.0)),
        Part("hedge", hedge, Material((0.2, 0.4, 0.16), roughness=1.0)),
        Part("bars", join(*bars, sill), Material((0.8, 0.79, 0.76), roughness=0.5)),
        Part("curtains", join(*folds), material(params)),
        Part("rod", rod, Material(DARK_WOOD, roughness=0.5)),
    )


def door(params: Params) -> tuple[Part, ...]:
    """A panelled door in its frame, `size_m` [2] wide and high."""
    width, height = params["size_m"]
    depth, rim = 0.05 * width, 0.08 * width
    leaf = block((width - 2 * rim, 0.6 * depth, height - rim), (0, 0, 0))
    frame = [block((rim, depth, height), (x * (width - rim) / 2, 0, 0)) for x in (-1, 1)]
    frame.append(block((width - 2 * rim, depth, rim), (0, 0, height - rim)))
    panels = [
        block((0.3 * width, 0.84 * depth, tall * height), (x * 0.19 * width, 0, low * height))
        for x in (-1, 1)
        for low, tall in ((0.08, 0.34), (0.5, 0.4))
    ]
    knob = at(box((0.06 * width, 2.2 * depth, 0.025 * height)), (0.36 * width, 0, 0.46 * height))
    return (
        Part("leaf", leaf, material(params)),
        Part("panels", join(*panels), material(params)),
        Part("frame", join(*frame), Material(PALE, roughness=0.6)),
        Part("knob", knob, Material((0.6, 0.5, 0.25), roughness=0.3, metallic=0.8)),
    )


def sofa(params: Params) -> tuple[Part, ...]:
    """A sofa `size_m` [3] with two cushions."""
    width, depth, height = three(params["size_m"])
    arm, bevel = 0.12 * width, 0.03 * height
    seat = at(bevelled_box((width - 2 * arm, 0.98 * depth, 0.34 * height), bevel), (0, 0, 0.3 * height))
    back = at(bevelled_box((width, 0.26 * depth, 0.87 * height), bevel), (0, 0.37 * depth, 0.565 * height))
    arms = [
        at(bevelled_box((arm, depth, 0.55 * height), bevel), (x * (width - arm) / 2, 0, 0.405 * height))
        for x in (-1, 1)
    ]
    cushions = [
        at(
            bevelled_box((0.48 * (width - 2 * arm), 0.7 * depth, 0.16 * height), 1.6 * bevel),
            (x * 0.25 * (width - 2 * arm), -0.12 * depth, 0.54 * height),
        )
        for x in (-1, 1)
    ]
    feet = [
        block((0.08 * height, 0.08 * height, 0.14 * height), (x * 0.45 * width, y * 0.4 * depth, 0))
        for x in (-1, 1)
        for y in (-1, 1)
    ]
    return (
        Part("body", join(seat, back, *arms), material(params)),
        Part("cushions", join(*cushions), material(params)),
        Part("feet", join(*feet), Material(DARK_WOOD, roughness=0.6)),
    )


def floor_lamp(params: Params) -> tuple[Part, ...]:
    """A standard lamp that is not lit, `size_m` high; `rgb` is that of its shade."""
    h = params["size_m"]
    stem = join(cylinder(0.1 * h, 0.02 * h, 24), at(cylinder(0.009 * h, 0.76 * h, 10), (0, 0, 0.02 * h)))
    shade = at(cylinder(0.13 * h, 0.22 * h, 24), (0, 0, 0.78 * h))
    return (
        Part("stem", stem, Material((0.1, 0.1, 0.1), roughness=0.4), smooth_angle_deg=35),
        Part("shade", shade, material(params), smooth_angle_deg=35),
    )


MOST_BOOKS = 400


def book_row(params: Params) -> tuple[Part, ...]:
    """Books that stand side by side and lean on nothing: `size_m` [3] is the row's box; `seed` varies them."""
    width, depth, height = three(params["size_m"])
    rng = generator(int(params["seed"]), "book_row")
    groups: list[list] = [[] for _ in BOOK_RGBS]
    left = -width / 2
    for _ in range(MOST_BOOKS):
        thick = float(rng.uniform(0.1, 0.24)) * height
        if left + thick > width / 2:
            break
        tall, deep = float(rng.uniform(0.72, 1.0)) * height, float(rng.uniform(0.75, 1.0)) * depth
        book = block((0.97 * thick, deep, tall), (left + thick / 2, (deep - depth) / 2 * 0.98, 0))
        groups[int(rng.integers(len(BOOK_RGBS)))].append(book)
        left += thick
    return tuple(
        Part(f"books{i}", join(*books), Material(rgb, roughness=0.7))
        for i, (books, rgb) in enumerate(zip(groups, BOOK_RGBS, strict=True))
        if books
    )


def bookcase(params: Params) -> tuple[Part, ...]:
    """A bookcase `size_m` [3] with rows of books on its boards; `seed` varies them."""
    width, depth, height = three(params["size_m"])
    board = 0.03 * width
    levels = np.linspace(0.05 * height, height - board, 5)
    case = [block((board, depth, height), (x * (width - board) / 2, 0, 0)) for x in (-1, 1)]
    case += [block((width - 2 * board, depth, board), (0, 0, float(z))) for z in levels]
    case.append(block((width - 2 * board, 0.04 * depth, height), (0, 0.47 * depth, 0)))
    parts = [Part("case", join(*case), material(params))]
    for level, z in enumerate(levels[:-1]):
        gap = float(levels[1] - levels[0]) - board
        share = 0.72 + 0.2 * ((level * 2 + int(params["seed"])) % 3 - 1)
        size = [share * (width - 2 * board), 0.7 * depth, 0.82 * gap]
        row = book_row({"size_m": size, "seed": 7 * int(params["seed"]) + level})
        side = (1 if level % 2 else -1) * (1 - share) / 2 * (width - 2 * board)
        for part in row:
            at(part.mesh, (side, 0.0, float(z) + board))
            parts.append(Part(f"row{level}_{part.name}", part.mesh, part.material))
    return tuple(parts)


def armchair(params: Params) -> tuple[Part, ...]:
    """A wooden armchair with a cushion, `size_m` high."""
    h = params["size_m"]
    legs = [block((0.06 * h, 0.06 * h, 0.62 * h), (x * 0.37 * h, y * 0.33 * h, 0)) for x in (-1, 1) for y in (-1, 1)]
    arms = [block((0.09 * h, 0.8 * h, 0.05 * h), (x * 0.37 * h, 0, 0.6 * h)) for x in (-1, 1)]
    back = [block((0.68 * h, 0.05 * h, 0.09 * h), (0, 0.33 * h, z * h)) for z in (0.55, 0.72, 0.91)]
    back += [block((0.06 * h, 0.06 * h, 0.46 * h), (x * 0.34 * h, 0.33 * h, 0.54 * h)) for x in (-1, 1)]
    seat = at(bevelled_box((0.68 * h, 0.66 * h, 0.16 * h), 0.04 * h), (0, -0.01 * h, 0.4 * h))
    return (
        Part("frame", join(*legs, *arms, *back), Material((0.32, 0.18, 0.08), roughness=0.5)),
        Part("seat", seat, material(params)),
    )
