// Self-signed certificates for tests, written by hand in DER: node can sign, but makes no certificates. Pure but for randomness.
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

export type Certificate = { readonly cert: string; readonly key: string };

const tlv = (tag: number, ...parts: readonly Buffer[]): Buffer => {
  const value = Buffer.concat(parts);
  const size = value.length < 128 ? [value.length] : [0x82, value.length >> 8, value.length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), value]);
};
const sequence = (...parts: readonly Buffer[]): Buffer => tlv(0x30, ...parts);
const text = (tag: number, value: string): Buffer => tlv(tag, Buffer.from(value));

/** 1.3.101.112: Ed25519. 2.5.4.3: the common name. */
const ED25519 = sequence(tlv(0x06, Buffer.from([0x2b, 0x65, 0x70])));
/** 2.5.29.17: what it is good for beside its name: the address 127.0.0.1. */
const LOOPBACK = sequence(
  tlv(0x06, Buffer.from([0x55, 0x1d, 0x11])),
  tlv(0x04, sequence(tlv(0x87, Buffer.from([127, 0, 0, 1])))),
);
const nameOf = (name: string): Buffer =>
  sequence(tlv(0x31, sequence(tlv(0x06, Buffer.from([0x55, 0x04, 0x03])), text(0x0c, name))));

/** A new key and a certificate of this common name, good from 2020 to 2049, and for servers on 127.0.0.1. */
export function selfSigned(name: string): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const body = sequence(
    tlv(0xa0, tlv(0x02, Buffer.from([2]))),
    tlv(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ED25519,
    nameOf(name),
    sequence(text(0x17, "200101000000Z"), text(0x17, "491231000000Z")),
    nameOf(name),
    publicKey.export({ type: "spki", format: "der" }),
    tlv(0xa3, sequence(LOOPBACK)),
  );
  const signature = tlv(0x03, Buffer.from([0]), sign(null, body, privateKey));
  const base64 = sequence(body, ED25519, signature).toString("base64").replaceAll(/.{64}/g, "$&\n").trimEnd();
  return { cert: `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`, key: pem(privateKey) };
}

const pem = (key: KeyObject): string => key.export({ type: "pkcs8", format: "pem" }).toString();
