"""Records of keys for the examples of the protocol page. Their signatures are made up."""

from __future__ import annotations

from typing import Any

from chatroom.model.device_keys import DeviceKeys, DeviceList, SignedKey

_KEY = "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo"
_SIGNATURE = f"{_KEY}{_KEY[::-1]}"

PROOF = _SIGNATURE
_WHOSE: dict[str, Any] = {"server": "m3k8q0z1", "user_id": "x7k2", "device": "MFRGGZDFMZ"}

DEVICE = DeviceKeys(**_WHOSE, ed25519=_KEY, curve25519=_KEY[::-1], label="laptop", sig=_SIGNATURE)
ONE_TIME = SignedKey(**_WHOSE, key=_KEY, fallback=False, sig=_SIGNATURE)
FALLBACK = SignedKey(**_WHOSE, key=_KEY[::-1], fallback=True, sig=_SIGNATURE)
LIST = DeviceList(server="m3k8q0z1", user_id="x7k2", rev=1, user_key=_KEY, devices=(DEVICE,), sig=_SIGNATURE)
