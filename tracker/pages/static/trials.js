// The test panel: asks once a second, while the page is seen, what came of hits for trying out.
const panel = document.querySelector('[data-trials]')
const MOST = 20
class Refusal extends Error {}

function start () {
  const list = panel.querySelector('.trials')
  const status = panel.querySelector('[data-status]')
  let said = status.textContent
  let place = list.dataset.place
  let asking = false
  let timer

  panel.querySelector('[data-again]').hidden = true

  function say (text) {
    if (status.textContent !== text) status.textContent = text
  }

  function show (found) {
    place = found.dataset.place
    const newest = found.firstElementChild
    if (!newest) return
    list.prepend(...found.children)
    while (list.children.length > MOST) list.lastElementChild.remove()
    said = `The last hit ${newest.dataset.verdict}.`
    panel.dataset.lit = newest.dataset.lit
    panel.classList.remove('flash')
    void panel.offsetWidth // so that the same light flashes again
    panel.classList.add('flash')
  }

  async function ask () {
    const answer = await fetch(`${panel.dataset.trials}?after=${place}`)
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
    const found = page.querySelector('.trials')
    if (answer.redirected) throw new Refusal('You are signed out: sign in again.')
    if (!answer.ok || !found) throw new Refusal('Pintag could not answer; trying again…')
    show(found)
  }

  async function look () {
    clearTimeout(timer)
    if (asking || document.hidden) return
    asking = true
    try {
      await ask()
      say(said)
    } catch (error) {
      say(error instanceof Refusal ? error.message : 'No answer; trying again…')
    }
    asking = false
    timer = setTimeout(look, 1000)
  }

  document.addEventListener('visibilitychange', look)
  timer = setTimeout(look, 1000)
}

if (panel) start()
