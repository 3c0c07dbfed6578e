"""Links from client to client, past the server.

Both users agree before anything is revealed or dialled:

1. The client of the user who begins sends ``p2p.ask {id, exp}``, which holds no address.
2. When the other user has agreed, that client listens at its addresses, and sends ``p2p.offer {id, fp, cand, exp}``.
3. The first client listens, too, dials the addresses of the offer, and sends ``p2p.answer`` with the same fields.
4. Both dial all addresses; ``race`` picks one connection. After five seconds without one, messages go by the server.

``p2p.refuse {id}`` says no, takes back an ask, or gives up. All of these travel sealed between the two devices, so the
server sees neither addresses nor fingerprints.

There is no NAT hole punching: two people who both sit behind routers that let nothing in have no direct link, unless
both are in one network. Besides the addresses of an offer, the other side sees the address from which we dial.
"""
