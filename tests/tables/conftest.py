"""Invented tables whose statistics are known."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from understudy.key import Key


@pytest.fixture(scope="session")
def people() -> pa.Table:
    """4,000 invented people: ages, a city and its country (a law), pay that follows age and job, one rare name, gaps."""
    n = 4000
    key = Key(5) / "people"
    age = (18 + 60 * key.child("age").uniforms(n) ** 1.3).astype(int)
    job = np.array(["clerk", "smith", "doctor", "sailor"])[(key.child("job").uniforms(n) ** 1.5 * 4).astype(int)]
    city = np.array(["Ulm", "Bonn", "Lyon", "Metz", "Nice"])[(key.child("city").uniforms(n) * 5).astype(int)]
    country = np.where(np.isin(city, ["Ulm", "Bonn"]), "DE", "FR")
    base = 20_000 + 500 * (age - 18) + 30_000 * (job == "doctor")
    pay = np.round(base * np.exp(0.3 * key.child("pay").normals(n)), 2)
    pay = np.where(key.child("gap").uniforms(n) < 0.1, np.nan, pay)
    job = np.where(np.arange(n) == 17, "lighthouse keeper", job)
    start = 3650 + (5000 * key.child("start").uniforms(n)).astype(int)
    end = start + (400 * key.child("end").uniforms(n)).astype(int)
    return pa.table(
        {
            "age": age,
            "job": job,
            "city": city,
            "country": country,
            "pay": pa.array(pay, from_pandas=True),
            "start": pa.array(start.astype("int32"), pa.int32()).cast(pa.date32()),
            "end": pa.array(end.astype("int32"), pa.int32()).cast(pa.date32()),
            "rich": pa.array(np.nan_to_num(pay) > 50_000),
        }
    )
