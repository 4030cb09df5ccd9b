// Puts the app into the page, and what was ticked into the browser's memory.

import './style.css';
import { read, write } from './memory';
import { progress, toggled } from './plan';
import project from './project.json';
import { show } from './view';

const app = document.querySelector<HTMLElement>('#app');
if (!app) throw new Error('the page has no #app');

const features: string[] = project.features;
let done = read(localStorage);

function update(): void {
  show(app!, features, done, progress(features, done), (feature) => {
    done = toggled(done, feature);
    write(localStorage, done);
    update();
  });
}

update();
