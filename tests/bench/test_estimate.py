"""What the cycle estimate makes of qemu's blocks."""

from estimate import Code, join_at_pages, may_branch

ADD, FMLA = "8b020020", "4e22cc20"  # add x0, x1, x2; fmla v0.4s, v1.4s, v2.4s
BRANCHES = ("54000060", "17fffffe", "b4000040", "36000040", "d65f03c0", "94000001")  # b.eq, b, cbz, tbz, ret, bl
PAGE = 0x5000


def test_branches_are_told_from_what_goes_on() -> None:
    assert all(may_branch(word) for word in BRANCHES)
    assert not may_branch(ADD)
    assert not may_branch(FMLA)


def test_a_block_goes_on_across_a_page() -> None:
    counted: dict[tuple[int, Code], int] = {(PAGE - 8, (ADD, FMLA)): 5, (PAGE, (FMLA, "54000060")): 7}
    assert join_at_pages(counted) == {(ADD, FMLA, FMLA, "54000060"): 5, (FMLA, "54000060"): 2}


def test_other_neighbours_stay_apart() -> None:
    ends_in_a_branch: dict[tuple[int, Code], int] = {(PAGE - 8, (ADD, "54000060")): 5, (PAGE, (FMLA,)): 7}
    inside_of_a_page: dict[tuple[int, Code], int] = {(PAGE, (ADD, FMLA)): 5, (PAGE + 8, (FMLA,)): 7}
    not_always_left: dict[tuple[int, Code], int] = {(PAGE - 8, (ADD, FMLA)): 5, (PAGE, (FMLA,)): 4}
    for counted in (ends_in_a_branch, inside_of_a_page, not_always_left):
        assert join_at_pages(counted) == {code: runs for (_, code), runs in counted.items()}


def test_the_same_code_at_two_addresses_is_counted_together() -> None:
    assert join_at_pages({(0x100, (ADD,)): 2, (0x200, (ADD,)): 3}) == {(ADD,): 5}
