// The entry of the pages.
import './theme/styles';
import { createRoot } from 'react-dom/client';
import { App } from './app/App';
import { readNonce, shareNonce } from './theme/nonce';

const nonce = readNonce();
shareNonce(nonce);
const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root');
createRoot(root).render(<App nonce={nonce} />);
