"""The tables of a pack, for pyarrow, pandas or DuckDB to read alone: a row for each clip, a row for each state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from render_jobs.packing.facts import ClipFacts
from simulator.clip_files import PackedFiles
from simulator.clip_writer import STATE_SCHEMA

ROWS_PER_GROUP = 65_536

_STRINGS = pa.list_(pa.string())
_MEMBER = pa.struct([("name", pa.string()), ("offset", pa.int64()), ("size", pa.int64())])
_WINDOW = pa.struct(
    [
        ("target", pa.string()),
        ("kind", pa.string()),
        ("t_h", pa.int32()),
        ("t_r", pa.int32()),
        ("num_hidden", pa.int32()),
    ]
)
# clip_id, shard and members are what simulator.clip_files reads; the others say what the clip is
INDEX_SCHEMA = pa.schema(
    [
        ("clip_id", pa.string()), ("shard", pa.string()), ("members", pa.list_(_MEMBER)),
        ("split", pa.string()), ("event_types", _STRINGS), ("families", _STRINGS), ("stevo_categories", _STRINGS),
        ("interruptions", _STRINGS), ("prompt", pa.string()), ("num_frames", pa.int32()), ("fps", pa.float64()),
        ("width_px", pa.int32()), ("height_px", pa.int32()), ("hidden_s", pa.float64()), ("windows", pa.list_(_WINDOW)),
        ("outputs", _STRINGS), ("scene_id", pa.string()), ("spec", pa.string()), ("spec_seed", pa.int64()),
        ("spec_index", pa.int64()), ("stateless", pa.bool_()), ("num_bytes", pa.int64()), ("device", pa.string()),
        ("created_unix_s", pa.int64()), ("arrays_sha256", pa.string()), ("manifest_sha256", pa.string()),
    ]
)  # fmt: skip
STATES_SCHEMA = pa.schema([pa.field("clip_id", pa.string()), pa.field("event_type", pa.string()), *STATE_SCHEMA])


@dataclass(frozen=True)
class Row:
    """A clip of the pack and where it lies."""

    files: PackedFiles
    facts: ClipFacts

    def to_dict(self) -> dict[str, object]:
        facts = asdict(self.facts)
        members = [{"name": n, "offset": at, "size": size} for n, (at, size) in sorted(self.files.members.items())]
        windows = [
            {"target": w.target, "kind": w.kind, "t_h": w.t_h, "t_r": w.t_r, "num_hidden": len(w.hidden_frames)}
            for w in self.facts.windows
        ]
        facts |= {"shard": self.files.shard.name, "members": members, "windows": windows}
        return {name: facts[name] for name in INDEX_SCHEMA.names}


def write_index(path: Path, rows: Sequence[Row]) -> None:
    pq.write_table(pa.Table.from_pylist([row.to_dict() for row in rows], INDEX_SCHEMA), path, compression="zstd")


def write_states(path: Path, rows: Sequence[Row]) -> None:
    """states.parquet of every clip below one another, with the clip and the type of the event before the columns."""
    with pq.ParquetWriter(path, STATES_SCHEMA, compression="zstd") as writer:
        waiting: list[pa.Table] = []
        for table in _states(rows):
            waiting.append(table)
            if sum(t.num_rows for t in waiting) >= ROWS_PER_GROUP:
                writer.write_table(pa.concat_tables(waiting), ROWS_PER_GROUP * 2)
                waiting = []
        if waiting:
            writer.write_table(pa.concat_tables(waiting), ROWS_PER_GROUP * 2)


def _states(rows: Sequence[Row]) -> Iterator[pa.Table]:
    for row in rows:
        with row.files.open("states.parquet") as file:
            table = pq.read_table(file)
        types = dict(row.facts.events)
        columns = [pa.array([row.facts.clip_id] * table.num_rows, pa.string())]
        columns.append(pa.array([types[event] for event in table["event"].to_pylist()], pa.string()))
        yield pa.table([*columns, *(table[name] for name in STATE_SCHEMA.names)], schema=STATES_SCHEMA)
