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
