/** Text of a model or of a prompt. It is a text node whatever it holds, and a long one is cut until it is asked for. */
import { useState } from 'preact/hooks';
import { countText } from '../common/format.ts';
import { cutText } from './cut-text.ts';
import { TextBox } from './text-box.tsx';

export function LongText({ text, label }: { text: string; label: string }) {
  const [isWhole, setWhole] = useState(false);
  const cut = isWhole ? text : cutText(text);
  return (
    <div class="long-text">
      <TextBox label={label}>{cut === '' ? <span class="quiet">(empty)</span> : cut}</TextBox>
      {cut.length < text.length && (
        <button type="button" onClick={() => setWhole(true)}>
          show all {countText(text.length)} characters
        </button>
      )}
    </div>
  );
}
