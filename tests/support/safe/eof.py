"""Write a file of precise orbits (EOF) with the structure of AUX_POEORB."""

from __future__ import annotations

import numpy as np

from tests.support.safe.orbit import moment

TEXT = """<?xml version="1.0"?>
<Earth_Explorer_File><Earth_Explorer_Header><Fixed_Header><File_Name>S1A_OPER_AUX_POEORB_OPOD</File_Name>
<Mission>{mission}</Mission><File_Type>{kind}</File_Type></Fixed_Header><Variable_Header><Ref_Frame>EARTH_FIXED</Ref_Frame>
<Time_Reference>UTC</Time_Reference></Variable_Header></Earth_Explorer_Header>
<Data_Block type="xml"><List_of_OSVs count="{count}">{vectors}</List_of_OSVs></Data_Block></Earth_Explorer_File>
"""


def write_eof(path, geometry, times=None, mission="Sentinel-1A", kind="AUX_POEORB", away=0.0):
    """Write the orbit of a geometry at times in seconds from its first line, displaced by `away` metres upwards."""
    times = np.arange(-300, 310, 10.0) + 0.2 if times is None else times
    vectors = ""
    for time in times:
        place = geometry.place(time)
        place = place * (1 + away / np.linalg.norm(place))
        values = dict(zip(("X", "Y", "Z", "VX", "VY", "VZ"), (*place, *geometry.velocity(time))))
        vectors += f"<OSV><TAI>TAI={moment(time + 37)}</TAI><UTC>UTC={moment(time)}</UTC>" + "".join(
            f'<{name} unit="m">{value:.6f}</{name}>' for name, value in values.items()
        ) + "<Quality>NOMINAL</Quality></OSV>"  # fmt: skip
    text = TEXT.format(mission=mission, kind=kind, count=len(times), vectors=vectors)
    path.write_text(text)
    return path
