"""Agents that show a certificate: one that the server's CA signed may send readings and nothing else; every other is a sentence, and what
was read meanwhile waits."""

import json
import pathlib
import ssl
import unittest
import urllib.error
import urllib.request

from agent_test import Case
from certificates import Authority
from harness import Program, run, wait_for

INGEST, SUMMARY = "/api/v1/ingest/batch", "/api/v1/fleet/summary"


class Certificates(Case):
    def setUp(self):
        super().setUp()
        self.ca = Authority(pathlib.Path(self.folder) / "ca", "our CA")
        self.other = Authority(pathlib.Path(self.folder) / "other", "another CA")
        self.server_pair = self.ca.sign("server", extensions="subjectAltName=DNS:localhost,IP:127.0.0.1")
        self.good = self.ca.sign("gpu-host-1")
        self.crl = self.ca.publish()
        self.config.write_text(
            self.config.read_text() + f"auth: {{mode: required}}\ntls:\n  cert_file: {self.server_pair[0]}\n  key_file: {self.server_pair[1]}\n"
            f"  client_ca_file: {self.ca.file}\n  client_crl_file: {self.crl}\n")

    def start_server(self):
        self.server = Program(self.folder, "serve", "--config", self.config)
        wait_for(lambda: (pathlib.Path(self.folder) / "data/admin.token").exists(), what="the server")
        wait_for(lambda: self.ask("/healthz")[0] == 200, what="the server")
        self.admin = (pathlib.Path(self.folder) / "data/admin.token").read_text().strip()

    def client(self, pair=None):
        context = ssl.create_default_context(cafile=self.ca.file)
        if pair:
            context.load_cert_chain(*pair)
        return urllib.request.build_opener(urllib.request.HTTPSHandler(context=context))

    def ask(self, path, pair=None, token=None, body=None):
        headers = {"Content-Type": "application/vnd.ghm.batch", **({"Authorization": f"Bearer {token}"} if token else {})}
        request = urllib.request.Request(f"https://localhost:{self.port}{path}", headers=headers, data=body)
        try:
            with self.client(pair).open(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())["detail"]

    def send_with(self, pair=None):
        pair = f", cert_file: {pair[0]}, key_file: {pair[1]}" if pair else ""
        self.write_agent_config(f"url: 'https://localhost:{self.link.port}', tls_config: {{ca_file: {self.ca.file}{pair}}}")

    def test_what_a_certificate_opens(self):
        self.start_server()
        read = lambda status: (status, "zstd")  # it was let in: the body is no batch
        expired = self.ca.sign("too-old", expired=True)
        foreign = self.other.sign("gpu-host-2")
        for_servers = self.ca.sign("a-server", extensions="extendedKeyUsage=serverAuth")
        for why, pair, status, sentence in (
            ("ours", self.good, *read(400)),
            ("none", None, 401, "a key"),
            ("expired", expired, 401, "'too-old' has expired: renew it"),
            ("of another CA", foreign, 401, "'gpu-host-2' is not trusted"),
            ("not made for clients", for_servers, 401, "extended key usage"),
        ):
            got = self.ask(INGEST, pair, body=b"hello")
            self.assertEqual(got[0], status, why)
            self.assertIn(sentence, got[1], why)
        # It is no role: everything else needs a key, and a wrong key does not fall back to it.
        self.assertEqual(self.ask(SUMMARY, self.good)[0], 401)
        self.assertEqual(self.ask("/api/v1/quarantine/replay", self.good, body=b"{}")[0], 401)
        self.assertEqual(self.ask(INGEST, self.good, token="ghm_wrong_token", body=b"hello")[0], 401)
        # A key opens what it opens, whatever certificate comes with it, and without one.
        for pair in (None, self.good, foreign, expired):
            self.assertEqual(self.ask(SUMMARY, pair, token=self.admin)[0], 200)

    def test_an_agent_with_a_certificate_needs_no_token(self):
        self.start_server()
        self.send_with(self.good)
        self.start_agent()
        wait_for(lambda: self.own_metric("ghm_agent_sent_rounds_total") >= 2, what="delivery")
        self.assertNotIn("server.unreachable", self.agent.text())

    def test_who_is_not_let_in_hears_why_and_loses_nothing(self):
        self.start_server()
        for pair, hint in (
            (None, "server.tls_config.cert_file"),
            (self.other.sign("gpu-host-2"), "'gpu-host-2' is not trusted"),
            (self.ca.sign("too-old", expired=True), "'too-old' has expired: renew it"),
        ):
            self.send_with(pair)
            self.start_agent()
            wait_for(lambda: "server.unreachable" in self.agent.text(), what="the refusal")
            self.assertIn("401", self.agent.text())
            self.assertIn(hint, self.agent.text())
            self.assertIn("server.tls_config.cert_file", self.agent.text())
            self.between_pages()
            self.agent.stop()
        self.send_with(self.good)
        self.start_agent()
        wait_for(lambda: self.own_metric("ghm_agent_all_delivered") == 1, 30, "what waited")
        self.between_pages()
        self.agent.stop()
        served, stored = list(self.exporter.served), self.stored()
        self.assertEqual(stored, sorted(set(stored)))
        self.assertLessEqual(set(served) - set(stored), self.exporter.hung_up)
        self.assertGreaterEqual(len(stored), 4, "one of each agent at least")

    def test_a_revoked_one_is_refused_without_a_restart(self):
        self.start_server()
        self.send_with(self.good)
        self.start_agent()
        wait_for(lambda: self.own_metric("ghm_agent_sent_rounds_total") >= 2, what="delivery")
        self.crl.write_text("half of a list")
        wait_for(lambda: "tls.not_renewed" in self.server.text(), what="the complaint")
        self.assertIn("client_crl_file", self.server.text())
        sent = self.own_metric("ghm_agent_sent_rounds_total")
        wait_for(lambda: self.own_metric("ghm_agent_sent_rounds_total") > sent, what="rounds as before")
        self.ca.revoke("gpu-host-1")
        self.ca.publish()
        wait_for(lambda: "'gpu-host-1' was revoked" in self.agent.text(), what="the refusal on a connection that stood")
        self.assertEqual(self.ask(INGEST, self.good, body=b"hello")[0], 401)
        self.assertEqual(self.ask(INGEST, self.ca.sign("gpu-host-3"), body=b"hello")[0], 400, "others go on")

    def test_check_config_says_what_is_missing(self):
        text = self.config.read_text()
        for bad, complaint in (
            (text.replace(f"client_ca_file: {self.ca.file}", f"client_ca_file: {self.server_pair[1]}"), "tls.client_ca_file"),
            (text.replace(f"client_crl_file: {self.crl}", f"client_crl_file: {self.ca.file}"), "tls.client_crl_file"),
            (text.replace(f"  client_ca_file: {self.ca.file}\n", ""), "client_crl_file: needs client_ca_file too"),
        ):
            self.config.write_text(bad)
            checked = run("check-config", "--config", self.config)
            self.assertIn(complaint, checked.stdout + checked.stderr)
            started = run("serve", "--config", self.config)
            self.assertEqual(started.returncode, 1)
            self.assertIn(complaint, started.stderr)
        self.config.write_text(text)
        self.assertNotIn("client_c", run("check-config", "--config", self.config).stdout)


if __name__ == "__main__":
    unittest.main()
