"""Configurations of the real IRC servers; `@NAME@` is filled in."""

MODULES = """
ssl_gnutls spanningtree sasl cap ircv3 ircv3_accounttag ircv3_batch ircv3_capnotify ircv3_chghost
ircv3_ctctags ircv3_echomessage ircv3_invitenotify ircv3_labeledresponse ircv3_msgid
ircv3_servertime monitor namesx uhnames services_account svshold sslinfo botmode hidechans chghost
setname servprotect sanick deaf hideoper globops stripcolor permchannels
"""

INSPIRCD = """
<server name="@NAME@" description="test" id="@ID@" network="testnet">
<admin name="a" nick="a" email="a@irc.test">
<path configdir="@DIR@" datadir="@DIR@/data" logdir="@DIR@/log" moduledir="/usr/lib/inspircd/modules">
<pid file="@DIR@/inspircd.pid">
@MODULES@
<bind address="127.0.0.1" port="@PORT@" type="clients">
<bind address="127.0.0.1" port="@TLS@" type="clients" ssl="gnutls">
<bind address="127.0.0.1" port="@LINK@" type="servers">
<gnutls certfile="@PKI@/irc.pem" keyfile="@PKI@/irc.key"
 cafile="@PKI@/ca.pem" requestclientcert="yes" hash="sha256">
<connect allow="*" resolvehostnames="no" useident="no" timeout="10" recvq="40960"
  softsendq="65536"
 hardsendq="1048576" localmax="1000" globalmax="1000"
 commandrate="1000" @PACE@ modes="">
<connectban threshold="10000">
<dns server="127.0.0.1" timeout="1">
<performance softlimit="10000" quietbursts="yes">
<security announceinvites="none" runasuser="" runasgroup="">
<options casemapping="rfc1459" extbanformat="any" prefixquit="Quit: ">
<class name="O" commands="*" privs="*" chanmodes="*" usermodes="*"><type name="NetAdmin" classes="O">
<oper name="op" password="oppw" host="*@*" type="NetAdmin">
<link name="services.irc.test" ipaddr="127.0.0.1" port="27000" allowmask="127.0.0.1"
 recvpass="password" sendpass="password">
<uline server="services.irc.test" silent="yes">
<sasl requiressl="no" target="services.irc.test">
<log method="file" type="* -USERINPUT -USEROUTPUT" level="default" target="inspircd.log">
@MORE@
"""

INSPIRCD_LINK = """
<link name="@NAME@" ipaddr="127.0.0.1" port="@PORT@" allowmask="127.0.0.1"
 recvpass="password" sendpass="password" timeout="10">
"""

NGIRCD = """
[Global]
    Name = irc.test
    Info = shipboard's test server
    Listen = 127.0.0.1
    Ports = @PORT@
    AdminInfo1 = test
    AdminEMail = a@irc.test
    MotdPhrase = hi
    ServerUID = nobody
    ServerGID = nogroup
[Limits]
    MaxNickLength = 31
    MaxConnections = 0
    MaxConnectionsIP = 0
    PingTimeout = 20
    PongTimeout = 10
    MaxPenaltyTime = @PENALTY@
[Options]
    PAM = no
    Ident = no
    DNS = no
    IncludeDir = @DIR@/none
[Operator]
    Name = op
    Password = oppw
@TLS@
@SERVICES@
"""

NGIRCD_SERVICES = """
[Server]
    Name = services.irc.test
    MyPassword = password
    PeerPassword = password
    Passive = yes
    ServiceMask = *Serv
"""

ATHEME = """
loadmodule "modules/protocol/@PROTOCOL@";
loadmodule "modules/backend/opensex";
loadmodule "modules/crypto/pbkdf2v2";
loadmodule "modules/nickserv/main";
loadmodule "modules/nickserv/cert";
loadmodule "modules/nickserv/register";
loadmodule "modules/nickserv/identify";
loadmodule "modules/nickserv/login";
loadmodule "modules/nickserv/logout";
loadmodule "modules/nickserv/ghost";
loadmodule "modules/nickserv/group";
loadmodule "modules/nickserv/info";
loadmodule "modules/nickserv/status";
loadmodule "modules/nickserv/set_core";
loadmodule "modules/saslserv/main";
loadmodule "modules/saslserv/plain";
loadmodule "modules/saslserv/external";
serverinfo {
  name = "services.irc.test"; desc = "Atheme"; numeric = "00A"; netname = "testnet"; adminname = "a";
  adminemail = "a@irc.test"; registeremail = "r@irc.test"; auth = none; casemapping = "rfc1459"; recontime
  = 1;
  maxlogins = 20; maxusers = 0;
};
general { commit_interval = 5; };
uplink "irc.test" { host = "127.0.0.1"; port = @LINK@; send_password = "password"; receive_password =
 "password"; };
nickserv { nick = "NickServ"; user = "NickServ"; host = "services.irc.test"; real = "NS"; maxnicks = 5;
 spam; };
saslserv { nick = "SaslServ"; user = "SaslServ"; host = "services.irc.test"; real = "SS"; };
"""
