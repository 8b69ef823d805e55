/** Entry of the page. */
import { render } from 'preact';
import './app.css';

render(<main>r2po</main>, document.body);
