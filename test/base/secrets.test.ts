/** Secrets are masked in every form in which they are echoed, and text that only looks like one stays. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addSecret, addUrlSecrets, maskedData, maskLongSecrets, maskSecrets } from '../../src/base/secrets.ts';
import { parseQueueAddress, withoutPasswords } from '../../src/sweep/queue/address.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('a known secret', () => {
  it('is masked in any text, in URLs, in JSON and in base64', () => {
    const visible = fc.stringMatching(/^[\x21-\x7e]{8,40}$/).map((text) => `k1${text}`);
    fc.assert(
      fc.property(visible, fc.string(), fc.string(), (secret, before, after) => {
        addSecret(secret);
        for (const text of [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]) {
          expect(maskSecrets(`${before}${text}${after}`)).not.toContain(text);
        }
        const encoded = base64(`${before}${secret}${after}`);
        expect(Buffer.from(maskSecrets(encoded), 'base64').toString()).not.toContain(secret);
      }),
      { numRuns: 60 },
    );
  });

  it('is masked behind the name of a scheme, and in data', () => {
    addSecret('Bearer abcdefgh-1');
    expect(maskSecrets('with abcdefgh-1.')).toBe('with [key].');
    expect(maskedData({ a: ['abcdefgh-1', 3, null, { 'x-abcdefgh-1': true }] })).toEqual({
      a: ['[key]', 3, null, { 'x-[key]': true }],
    });
    let deep: unknown = 'abcdefgh-1';
    for (let i = 0; i < 100_000; i++) deep = [deep];
    expect(maskedData(deep)).toHaveLength(1);
  });
});

describe('a short secret', () => {
  it('is masked as a word of its own, and only in text from outside', () => {
    for (const secret of ['sesame', 'lm-studio', '12345678', 'abc', '1234']) addSecret(secret);
    expect(maskSecrets('the key sesame is refused: "sesame".')).toBe('the key [key] is refused: "[key]".');
    for (const text of [
      'sesames',
      'open-sesame',
      'lm-studio-community/m',
      '0.12345678',
      '-12345678.5',
      '1234',
      'abc',
    ]) {
      expect(maskSecrets(text)).toBe(text);
    }
    expect(maskSecrets('password 12345678')).toBe('password [key]');
    expect(maskLongSecrets('sesame')).toBe('sesame');
  });
});

describe('the password of an address', () => {
  const password = fc.stringMatching(/^[\x20-\x7e]{1,20}$/).map((text) => `pW7${text}x9`);

  it('is a secret, however it is written', () => {
    addUrlSecrets('http://me:pr0xy-pass%2Fword@proxy:3128');
    expect(maskSecrets('pr0xy-pass/word pr0xy-pass%2Fword')).toBe('[key] [key]');
    addUrlSecrets('tok3n-alone@proxy:3128');
    expect(maskSecrets('tok3n-alone')).toBe('[key]');
  });

  it('is in no record of the command line, also where it ends the address early', () => {
    fc.assert(
      fc.property(password, fc.constantFrom('', 'user'), fc.boolean(), (secret, user, isEncoded) => {
        const written = isEncoded ? encodeURIComponent(secret) : secret;
        const [shown] = withoutPasswords([`--queue=rediss://${user}:${written}@h:7/2?q`]);
        expect(shown).not.toContain(secret);
        expect(shown).not.toContain(written);
        if (isEncoded) expect(shown).toBe('--queue=rediss://***@h:7/2?q');
      }),
    );
  });

  it('is in no message about an address', () => {
    for (const text of [
      'redis://u:p?assw0rd@h',
      'redis://u:1/23assw0rd@h',
      'redis://u:1?assw0rd@h',
      'redis://u:1#assw0rd@h',
    ]) {
      expect(() => parseQueueAddress(text)).toThrow(/^(?!.*assw0rd)/);
      expect(withoutPasswords([text])).toEqual(['redis://***']);
    }
    expect(() => parseQueueAddress('redis://:100%@h')).toThrow('write special characters of a password as %xx');
  });
});
