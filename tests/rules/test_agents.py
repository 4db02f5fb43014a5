"""What a User-Agent header says: who is a bot, and what is kept of the others."""

import pytest

from tracker.rules.agents import MOST_KEPT, read

WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"
LINUX = "Mozilla/5.0 (X11; Linux x86_64)"
PIXEL = "Mozilla/5.0 (Linux; Android 10; K)"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X)"
BLINK = "AppleWebKit/537.36 (KHTML, like Gecko)"
WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
CHROME = f"{BLINK} Chrome/142.0.0.0"


@pytest.mark.parametrize(
    ("header", "kept"),
    [
        (f"{WINDOWS} {CHROME} Safari/537.36", "Chrome 142 on Windows"),
        (f"{MAC} {CHROME} Safari/537.36", "Chrome 142 on Mac OS X"),
        (f"{LINUX} {CHROME} Safari/537.36", "Chrome 142 on Linux"),
        (f"{WINDOWS} {CHROME} Safari/537.36 Edg/142.0.0.0", "Edge 142 on Windows"),
        (f"{WINDOWS} {CHROME} Safari/537.36 OPR/125.0.0.0", "Opera 125 on Windows"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
            "Firefox 145 on Windows",
        ),
        (f"{MAC} {WEBKIT} Version/18.6 Safari/605.1.15", "Safari 18 on Mac OS X"),
        (f"{PIXEL} {CHROME} Mobile Safari/537.36", "Chrome Mobile 142 on Android"),
        (
            f"{PIXEL} {BLINK} SamsungBrowser/29.0 Chrome/136.0.0.0 Mobile Safari/537.36",
            "Samsung Internet 29 on Android",
        ),
        (
            "Mozilla/5.0 (Android 15; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0",
            "Firefox Mobile 145 on Android",
        ),
        (f"{IPHONE} {WEBKIT} Version/18.6 Mobile/15E148 Safari/604.1", "Mobile Safari 18 on iOS"),
        (
            f"{IPHONE} {WEBKIT} CriOS/142.0.7444.128 Mobile/15E148 Safari/604.1",
            "Chrome Mobile iOS 142 on iOS",
        ),
        # Opened in an app; the list of bots has both the app's word and the phone's build.
        (
            "Mozilla/5.0 (Linux; Android 15; CPH2557 Build/AP3A.240617.008; wv) "
            f"{BLINK} Version/4.0 Chrome/142.0.0.0 Mobile Safari/537.36 Instagram 406.0.0.58.159",
            "Instagram 406 on Android",
        ),
        (
            f"{PIXEL} {BLINK} Version/4.0 Chrome/142.0.0.0 Mobile Safari/537.36 MetaIAB Facebook",
            "Chrome Mobile WebView 142 on Android",
        ),
        # "bot" alone makes no bot: phones are called Cubot.
        (
            f"Mozilla/5.0 (Linux; Android 10; CUBOT_X18) {CHROME} Mobile Safari/537.36",
            "Chrome Mobile 142 on Android",
        ),
        (
            "Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2; Trident/6.0)",
            "IE 10 on Windows",
        ),
        # Real pages are tried in it, those of Pintag's own tests too.
        (f"{LINUX} {BLINK} HeadlessChrome/142.0.0.0 Safari/537.36", "HeadlessChrome 142 on Linux"),
    ],
)
def test_browsers(header: str, kept: str) -> None:
    assert read(header) == (False, kept)


@pytest.mark.parametrize(
    "header",
    [
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        f"{PIXEL} {CHROME} Mobile Safari/537.36 "
        "(compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        f"Mozilla/5.0 {BLINK}; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) "
        "Chrome/142.0.0.0 Safari/537.36",
        "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
        "Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)",
        "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
        "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)",
        f"{MAC} {WEBKIT} Version/17.4 Safari/605.1.15 "
        "(Applebot/0.1; +http://www.apple.com/go/applebot)",
        "Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com/help/us/ysearch/slurp)",
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; "
        "+https://openai.com/gptbot)",
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
        "WhatsApp/2.23.20.0 A",
        "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
        f"Mozilla/5.0 (Linux; Android 11; moto g power (2022)) {CHROME} "
        "Mobile Safari/537.36 Chrome-Lighthouse",
        f"{MAC} {CHROME} Safari/537.36 Chrome-Lighthouse",
        f"{LINUX} {CHROME} Safari/537.36 PTST/251105.155223",
        f"{LINUX} {CHROME} Safari/537.36 DatadogSynthetics",
    ],
)
def test_bots(header: str) -> None:
    assert read(header).is_bot


@pytest.mark.parametrize(
    ("header", "kept"),
    [
        ("", None),
        ("Mozilla/5.0", None),
        ("our shop's till", None),
        ("curl/8.14.1", "curl 8"),
        ("Wget/1.25.0", "Wget 1"),
        ("python-requests/2.32.5", "Python Requests 2"),
        ("Go-http-client/2.0", "Go-http-client 2"),
        ("okhttp/5.1.0", "okhttp 5"),
        ("axios/1.13.2", "axios 1"),
        ("Zapier", None),
        ("WordPress/6.8.3; https://shop.example", "WordPress 6"),
        ("HubSpot Webhooks 1.0", None),
    ],
)
def test_servers_send_hits(header: str, kept: str | None) -> None:
    assert read(header) == (False, kept)


@pytest.mark.parametrize(
    "header",
    [
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
        "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
        "FastmailUA/1.0",
        "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; Win64; x64; Trident/7.0; "
        "Microsoft Outlook 16.0.17126; ms-office; MSOffice 16)",
    ],
)
def test_people_open_mails(header: str) -> None:
    assert not read(header).is_bot


@pytest.mark.parametrize(
    "header",
    ["\0", "Mo\0zilla/5.0 (X\0) Chr\0ome/1", "\0bot/1", "é\u202ebot", "Chrome/" + "9" * 493]
    + ["".join(chr(code) for code in range(n, n + 500)) for n in range(0, 4000, 500)],
)
def test_what_is_kept_of_a_hostile_header_can_be_stored_and_shown(header: str) -> None:
    kept = read(header).kept or ""
    assert kept.isprintable()
    assert len(kept) <= MOST_KEPT
