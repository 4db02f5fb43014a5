// The figures anew every two seconds while the page is seen. A part that says the same stays as it
// is, so that what is opened, selected or focused in it does, too.
const shown = document.getElementById('figures')
const parts = new Map()

function put (now) {
  const old = document.getElementById(now.id)
  const html = now.innerHTML
  if (parts.get(now.id) === html) return
  parts.set(now.id, html)
  const open = [...old.querySelectorAll('details[open]')].map(details => details.id)
  const focused = old.contains(document.activeElement) ? document.activeElement.id : ''
  old.replaceChildren(...now.childNodes)
  for (const id of open) document.getElementById(id)?.setAttribute('open', '')
  if (focused) document.getElementById(focused)?.focus()
}

async function look () {
  if (!document.hidden) {
    try {
      const answer = await fetch('?part=figures', { signal: AbortSignal.timeout(10_000) })
      if (answer.redirected) return location.reload() // signed out meanwhile
      if (!answer.ok) throw new Error('the server is away')
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
      for (const part of [...page.querySelectorAll('[data-part]')]) put(part)
      shown.classList.remove('old')
    } catch {
      shown.classList.add('old') // these figures are of before; ask again
    }
  }
  setTimeout(look, 2000)
}

setTimeout(look, 2000)
document.addEventListener('visibilitychange', () => { document.hidden || shown.classList.add('old') })
