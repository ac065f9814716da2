"""Pieces of a pack on bodies: where their files put them, whatever shape and pose, and the skin hidden that they say."""

from dataclasses import replace

import numpy as np
import pytest

from understudy.assets import packs
from understudy.draws import Draws
from understudy.errors import AssetError
from understudy.key import Key
from understudy.scene import PART_ID, Material
from understudy.values import Fixed
from understudy.worlds.people import pose as posing
from understudy.worlds.people.body import BodyShape, build, model
from understudy.worlds.people.clothes import Clothes
from understudy.worlds.people.figure import Figure
from understudy.worlds.people.fitted import fit, worn_surface
from understudy.worlds.people.pose import Posing
from understudy.worlds.people.wardrobe import Wardrobe


def box_of(group):
    """A .mhclo and .obj of some skin of the base mesh itself, 2 cm ahead of it: (binding, mesh, vertices)."""
    m = model()
    faces = m.mesh("body").base_faces
    some = np.flatnonzero(m.region == group)
    some = some[some < 13380]
    inside = np.isin(faces, some).all(axis=1)
    used = np.unique(faces[inside])
    number = np.full(len(m.region), -1)
    number[used] = np.arange(len(used))
    template = m.arrays["template_vertices"]
    # z_scale: 10 decimetres between two base vertices would mean the offset as it is; take their true distance
    a, b = int(used[np.argmin(template[used, 1])]), int(used[np.argmax(template[used, 1])])
    deep = abs(float(template[a, 1] - template[b, 1])) * 10
    rows = "\n".join(f"{v} {v} {v} 1 0 0 0 0 0.2" for v in used)
    mesh = "\n".join(["v 0 0 0"] * len(used)) + "\n" + "\n".join("f " + " ".join(str(number[v] + 1) for v in f)
                                                                for f in faces[inside])
    hidden = " ".join(map(str, used))
    return (f"basemesh hm08\ntag {{tag}}\nobj_file it.obj\nz_scale {a} {b} {deep:.6f}\nverts 0\n{rows}\n"
            f"delete_verts\n{hidden}\n"), mesh, used


@pytest.fixture
def pack(tmp_path, monkeypatch):
    monkeypatch.setenv("UNDERSTUDY_ASSETS", str(tmp_path / "kept"))
    feet, mesh, used = box_of(14)  # one foot
    folder = tmp_path / "base" / "clothes" / "sock"
    folder.mkdir(parents=True)
    (folder / "sock.mhclo").write_text(feet.format(tag="Shoes"))
    (folder / "it.obj").write_text(mesh)
    return packs.add("mine", tmp_path / "base"), used


def figure(shape, family="walking"):
    rest = build(shape)
    stance = posing.sample(Draws(Key(3)), rest, replace(Posing(), family=Fixed(family)))
    return Figure(rest, stance.body, 30, 0.5, 24, rest.stature_m, 0.5, {"asian": 1.0})


@pytest.mark.parametrize("shape", [BodyShape(), BodyShape(weight=1.2), BodyShape(age=0.33)])
def test_a_piece_lies_where_its_file_says_on_any_body(pack, shape):
    added, used = pack
    fitted = fit(added, added.pieces[0])
    rest = build(shape).vertices
    out = fitted.at_rest(rest) - rest[used]
    template = model().arrays["template_vertices"]
    a, b, _ = fitted.scales[1]
    grown = abs(rest[a, 1] - rest[b, 1]) / abs(template[a, 1] - template[b, 1])
    np.testing.assert_allclose(out, np.tile([0, -0.02 * grown, 0], (len(used), 1)), atol=2e-6)  # ahead is our -y


def test_a_piece_follows_the_pose(pack):
    added, used = pack
    fitted, who = fit(added, added.pieces[0]), figure(BodyShape())
    surface = worn_surface(fitted, who, Material())
    gap = np.linalg.norm(surface.vertices - who.posed.vertices[used[fitted.corner]], axis=1)
    assert gap.max() < 0.025 and gap.min() > 0.005
    assert surface.chart is not None and set(surface.part.tolist()) == {PART_ID["shoes"]}
    assert np.isfinite(surface.vertices).all() and np.isfinite(surface.uv).all()


def test_an_open_mouth_makes_no_piece_larger(pack):
    added, _ = pack
    piece = fit(added, added.pieces[0])
    rest = build(BodyShape()).vertices
    axis, (a, _, length) = next((k, s) for k, s in enumerate(piece.scales) if s[2])
    grimace = rest.copy()
    grimace[a, axis] += 0.5 * length  # what sizes are measured by moves
    still = np.setdiff1d(np.arange(len(piece.offsets)), np.unique(piece.stencil.tocsc()[:, a].indices))
    assert np.abs(piece.at_rest(grimace) - piece.at_rest(rest))[still].max() > 0.001
    np.testing.assert_array_equal(piece.at_rest(grimace, rest)[still], piece.at_rest(rest)[still])


def test_it_is_worn_in_place_of_ours_hides_skin_and_is_in_the_ledger(pack):
    _, used = pack
    who = figure(BodyShape(), "standing")
    draws = Draws(Key(1))
    ours = Clothes(shoes=Fixed("boots")).choose(draws.at("clothes"), 30, 0.5)
    dress = Wardrobe("mine", shoes=1.0).choose(draws.at("pack"), ours, who.rest, 0.5)
    worn = dress.surfaces(who)
    assert draws.drawn["pack.shoes"] == "sock" == worn.facts["shoes"] and dress.ours.shoes is None
    assert worn.covered[used].all()
    assert [a.name for a in dress.assets] == ["mine/sock"]
    assert Wardrobe("mine", shoes=0.0).choose(Draws(Key(1)), ours, who.rest, 0.5).assets == ()


@pytest.fixture
def painted(tmp_path, monkeypatch):
    """A pack of three skins: ours of a light and of a dark tone, and noise, which is no skin."""
    from PIL import Image

    from understudy.worlds.people.skin import Skin
    from understudy.worlds.people.skin_paint import Look, paint_body

    monkeypatch.setenv("UNDERSTUDY_ASSETS", str(tmp_path / "kept"))
    pictures = {"noise": np.random.default_rng(0).integers(0, 255, (256, 256, 3)).astype(np.uint8)}
    for name, tone in (("light", 2), ("dark", 8)):
        rgb = Skin(tone=Fixed(tone)).choose(Draws(Key(1)), {"asian": 1.0}).rgb
        pictures[name] = paint_body(Key(2), Look(rgb, tone, np.zeros(3), "none", 0.0, 0.0, 30, 0.5, 0.0), 256).pixels
    for name, pixels in pictures.items():
        folder = tmp_path / "base" / "skins" / name
        folder.mkdir(parents=True)
        (folder / f"{name}.mhmat").write_text(f"diffuseTexture {name}.png\n# license: CC0\n")
        Image.fromarray(pixels).save(folder / f"{name}.png")
    packs.add("mine", tmp_path / "base")
    return pictures


def test_a_skin_is_worn_by_those_about_as_light_and_no_picture_of_something_else(painted):
    from understudy.worlds.people.pack_skins import skin_of

    skin_of.cache_clear()
    who = figure(BodyShape(), "standing")
    ours = Clothes().choose(Draws(Key(1)).at("clothes"), 30, 0.5)
    for tone, wanted in ((2, "light"), (8, "dark"), (5, None)):
        for seed in range(3):
            dress = Wardrobe("mine", skins=1.0).choose(Draws(Key(seed)), ours, who.rest, 0.5, tone)
            assert (None if dress.skin is None else dress.skin.piece.name) == wanted
            assert [a.name for a in dress.assets] == ([] if wanted is None else [f"mine/{wanted}"])
            assert not dress.skipped or "layout of a MakeHuman skin" in dress.skipped[0].why
    assert any(Wardrobe("mine", skins=1.0).choose(Draws(Key(s)), ours, who.rest, 0.5, 2).skipped for s in range(6))
    assert Wardrobe("mine", skins=0.0).choose(Draws(Key(1)), ours, who.rest, 0.5, 2).skin is None


def test_a_worn_skin_covers_face_and_body_and_keeps_their_parts(painted):
    from understudy.worlds.people.skin import Skin

    who, draws = figure(BodyShape(), "standing"), Draws(Key(1))
    look = Skin(tone=Fixed(2)).choose(draws, who.ancestry)
    ours = Skin().surfaces(Draws(Key(2)), who, look)
    worn = Skin().surfaces(Draws(Key(2)), who, look, painted=painted["light"], without=("teeth", "eyes"))
    skin = next(s for s in worn.surfaces if s.name == "skin")
    assert (skin.material.base_color.pixels == painted["light"]).all()
    assert {"face", "teeth"} & {s.name for s in worn.surfaces} == set()

    def faces(surfaces, part):
        return sum(int((s.part == PART_ID[part]).sum()) for s in surfaces if s.name in ("face", "skin"))

    assert faces(worn.surfaces, "face") == faces(ours.surfaces, "face") > 1000
    assert faces(worn.surfaces, "skin") == faces(ours.surfaces, "skin")


@pytest.mark.parametrize("textured", [True, False])
def test_eyes_take_the_place_of_ours_where_their_texture_is_there(tmp_path, monkeypatch, textured):
    """The base mesh's own eyeballs as a piece of a pack."""
    from PIL import Image

    from understudy.worlds.people.skin import Skin

    monkeypatch.setenv("UNDERSTUDY_ASSETS", str(tmp_path / "kept"))
    base = [model().mesh(f"eye.{side}") for side in "LR"]
    used = np.unique(np.concatenate([m.base for m in base]))
    faces = np.searchsorted(used, np.concatenate([m.base[m.faces] for m in base])) + 1
    folder = tmp_path / "base" / "eyes" / "round"
    folder.mkdir(parents=True)
    rows = "\n".join(f"{v} {v} {v} 1 0 0 0 0 0" for v in used)
    (folder / "round.mhclo").write_text(f"basemesh hm08\nobj_file it.obj\nmaterial it.mhmat\nverts 0\n{rows}\n")
    (folder / "it.obj").write_text("\n".join(["v 0 0 0"] * len(used) + ["vt 0 0", "vt 1 0", "vt 0 1"]
                                             + [f"f {a}/1 {b}/2 {c}/3" for a, b, c in faces]) + "\n")
    (folder / "it.mhmat").write_text("diffuseTexture iris.png\n" if textured else "name plain\n")
    if textured:
        Image.new("RGB", (8, 8), (40, 90, 160)).save(folder / "iris.png")
    packs.add("mine", tmp_path / "base")
    who, draws = figure(BodyShape(), "standing"), Draws(Key(1))
    ours = Clothes().choose(draws.at("clothes"), 30, 0.5)
    dress = Wardrobe("mine", eyes=1.0).choose(draws.at("pack"), ours, who.rest, 0.5)
    assert ("eyes" in dress.pieces) == textured and draws.drawn["pack.eyes"] == ("round" if textured else "none")
    worn = dress.surfaces(who)
    if textured:
        eyes = next(s for s in worn.surfaces if s.name == "eyes")
        assert set(eyes.part.tolist()) == {PART_ID["eyes"]} and worn.facts["iris"] == "round"
        there, wanted = eyes.vertices, who.posed.vertices[used]
        np.testing.assert_allclose([there.min(0), there.max(0)], [wanted.min(0), wanted.max(0)], atol=2e-4)
    look = Skin(tone=Fixed(2)).choose(draws, who.ancestry)
    all_of_it, rest = ([s.name for s in Skin().surfaces(Draws(Key(2)), who, look, without=without).surfaces]
                       for without in ((), ("eyes",)))
    assert "eye.L" in all_of_it and [n for n in all_of_it if not n.startswith("eye.")] == rest


def test_without_a_pack_nothing_is_drawn_or_changed():
    draws = Draws(Key(1))
    ours = Clothes().choose(draws.at("clothes"), 30, 0.5)
    before = dict(draws.drawn)
    dress = Wardrobe().choose(draws.at("pack"), ours, build(BodyShape()), 0.5)
    assert dress.ours is ours and draws.drawn == before
    with pytest.raises(AssetError, match="no pack of this name"):
        Wardrobe("absent").check_assets()


def test_a_damaged_piece_is_skipped_and_ours_are_worn(pack):
    added, _ = pack
    (added.root / added.pieces[0].file).write_bytes(b"nonsense")
    fit.cache_clear()
    ours = Clothes(shoes=Fixed("boots")).choose(Draws(Key(1)).at("clothes"), 30, 0.5)
    dress = Wardrobe("mine", shoes=1.0).choose(Draws(Key(1)), ours, build(BodyShape()), 0.5)
    assert dress.ours.shoes is not None
    assert [s.name for s in dress.skipped] and "Add the pack again" in dress.skipped[0].why
