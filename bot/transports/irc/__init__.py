"""IRC (RFC 1459, RFC 2812, https://ircv3.net): the `irc` package as parser, everything else our own."""
