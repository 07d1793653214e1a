"""src/marquee/services/pictures.py and guard.py."""

from collections.abc import Iterator
from ipaddress import ip_address

import pytest

from marquee.clock import now
from marquee.errors import TimedOut, Unavailable
from marquee.services.guard import PrivateAddress, is_public, names_private, public_addresses
from marquee.services.pictures import Picture, Pictures
from tests.fakes.pictures import FakePictures, picture
from tests.services.conftest import Clock, Lines, outcomes

PRIVATE = (
    *("0.0.0.0", "10.0.0.1", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1"),  # noqa: S104
    *("192.168.1.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1"),
    *("::", "::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "fe80::1", "fc00::1", "ff02::1"),
    *("64:ff9b::a00:1", "64:ff9b::7f00:1", "2002:a00:1::", "2002:7f00:1::", "2001:db8::1"),
    "2001:0:a00:1::",
)
PUBLIC = ("1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808")


@pytest.fixture
def host() -> Iterator[FakePictures]:
    """An image server."""
    with FakePictures() as fake:
        yield fake


@pytest.fixture
def pictures(host: FakePictures, clock: Clock, lines: Lines) -> Pictures:
    """A client of it."""
    return Pictures(host.url, timeout=0.5, timing=clock.timing, log=lines.log)


class TestFetch:
    @pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
    def test_a_picture(self, pictures: Pictures, kind: str) -> None:
        path = f"/t/p/w342/a.{kind}"
        assert pictures.fetch("w342", f"a.{kind}") == Picture(picture(path), f"image/{kind}")

    def test_none(self, pictures: Pictures, host: FakePictures) -> None:
        assert pictures.fetch("w342", "missing.jpg") is None
        for size, name in (("w342", "../a.jpg"), ("../w342", "a.jpg"), ("w342", "a.svg")):
            assert pictures.fetch(size, name) is None
        assert len(host.seen) == 1

    def test_what_has_not_changed(self, pictures: Pictures, host: FakePictures) -> None:
        host.unchanged = True
        assert pictures.fetch("w342", "a.jpg", now()) == "unchanged"
        assert pictures.fetch("w342", "a.jpg") == Picture(picture("/t/p/w342/a.jpg"), "image/jpeg")

    @pytest.mark.parametrize(
        "name,outcome",
        [
            ("page.jpg", "malformed"),
            ("text.jpg", "malformed"),
            ("bomb.png", "malformed"),
            ("large.jpg", "too_large"),
        ],
    )
    def test_no_picture_is_not_the_hosts_fault(
        self, pictures: Pictures, lines: Lines, name: str, outcome: str
    ) -> None:
        for _ in range(6):
            with pytest.raises(Unavailable):
                pictures.fetch("w342", name)
        assert outcomes(lines) == [outcome] * 6
        assert pictures.fetch("w342", "a.jpg")

    @pytest.mark.parametrize(
        "fault,outcome",
        [
            ("huge", "too_large"),
            ("bomb", "too_large"),
            ("endless", "too_large"),
            ("redirect", "redirect"),
        ],
    )
    def test_faults(
        self, pictures: Pictures, host: FakePictures, lines: Lines, fault: str, outcome: str
    ) -> None:
        host.breaks(fault, location="/elsewhere")
        with pytest.raises(Unavailable):
            pictures.fetch("w342", "a.jpg")
        assert outcomes(lines) == [outcome]
        assert len(host.seen) == 1

    def test_time_is_bounded(self, pictures: Pictures, host: FakePictures) -> None:
        host.breaks("drip", seconds=0.05)
        with pytest.raises(TimedOut):
            pictures.fetch("w342", "a.jpg")


class TestGuard:
    @pytest.mark.parametrize("address", PRIVATE)
    def test_private(self, address: str) -> None:
        assert not is_public(ip_address(address))
        assert names_private(address)

    @pytest.mark.parametrize("address", PUBLIC)
    def test_public(self, address: str) -> None:
        assert is_public(ip_address(address))
        assert not names_private(address)

    def test_who_names_a_private_network_means_it(self) -> None:
        assert names_private("localhost")
        assert not names_private("image.tmdb.org")

    def test_a_name_is_looked_at_after_it_is_resolved(self) -> None:
        with pytest.raises(PrivateAddress):
            public_addresses("localhost", 80)
        assert public_addresses("1.1.1.1", 80) == ["1.1.1.1"]

    def test_a_name_that_leads_into_a_private_network(
        self, host: FakePictures, clock: Clock, lines: Lines
    ) -> None:
        # No address as the settings write one, but one to the resolver.
        base_url = f"http://127.1:{host.port}/t/p"
        with pytest.raises(Unavailable):
            Pictures(base_url, timing=clock.timing, log=lines.log).fetch("w342", "a.jpg")
        assert outcomes(lines) == ["private_address"]
        assert (host.seen, host.connections) == ([], 0)
