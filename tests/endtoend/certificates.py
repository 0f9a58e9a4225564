"""A certificate authority for one test: real certificates by openssl, those that expired and those that were revoked among them."""

import pathlib
import subprocess

CONFIG = """
[ca]
default_ca = own
[own]
database = {folder}/index.txt
serial = {folder}/serial
new_certs_dir = {folder}
certificate = {folder}/ca.pem
private_key = {folder}/ca.key
default_md = sha256
default_days = 2
default_crl_days = 2
policy = any
unique_subject = no
[any]
commonName = supplied
"""


class Authority:
    def __init__(self, folder, name):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.config = self.folder / "openssl.cnf"
        self.config.write_text(CONFIG.format(folder=self.folder))
        (self.folder / "index.txt").touch()
        (self.folder / "serial").write_text("01\n")
        self.openssl("req", "-x509", *self.key("ca"), "-days", "2", "-subj", f"/CN={name}", "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-out", "ca.pem")
        self.file = self.folder / "ca.pem"

    def openssl(self, *args):
        subprocess.run(["openssl", *map(str, args)], cwd=self.folder, check=True, capture_output=True)

    def key(self, name):
        return "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key"

    def sign(self, name, expired=False, extensions=""):
        """NAME.pem and NAME.key; one that expired was good in 2020."""
        self.openssl("req", "-new", *self.key(name), "-subj", f"/CN={name}", "-out", f"{name}.csr")
        times = ["-startdate", "20200101000000Z", "-enddate", "20200201000000Z"] if expired else []
        (self.folder / "extensions").write_text(extensions)
        self.openssl("ca", "-batch", "-config", self.config, "-extfile", "extensions", *times, "-in", f"{name}.csr", "-out", f"{name}.pem", "-notext")
        return self.folder / f"{name}.pem", self.folder / f"{name}.key"

    def revoke(self, name):
        self.openssl("ca", "-config", self.config, "-revoke", f"{name}.pem")

    def publish(self):
        """The revocation list of now, put in its place as a whole."""
        self.openssl("ca", "-config", self.config, "-gencrl", "-out", "crl.new")
        (self.folder / "crl.new").replace(self.folder / "crl.pem")
        return self.folder / "crl.pem"
