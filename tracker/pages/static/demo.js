// The demo page: buttons that call the snippets, and the visitor's own timeline below.
const section = document.querySelector('[data-section]').dataset.section
const byId = (id) => document.getElementById(id)
let shown

function on (id, event, fields) {
  byId(id).addEventListener('click', () => {
    const clicked = performance.now()
    window.pintag(event, fields())
    watch(clicked)
  })
}

on('book', 'booking', () => ({ reference: 'R' + Date.now().toString(36), amount: '240.50', currency: 'EUR' }))
on('tier', 'loyalty-tier', () => ({ stage: 'Gold' }))
on('sweet', 'poll-vote', () => ({ subject: 'Breakfast: sweet' }))
on('savoury', 'poll-vote', () => ({ subject: 'Breakfast: savoury' }))

async function refresh () {
  const visitor = localStorage.getItem('pintag.v')
  if (!visitor) return false
  const address = `/sections/${section}/profiles/web/${encodeURIComponent(visitor)}`
  const answer = await fetch(address + '/timeline')
  if (!answer.ok) return false
  byId('timeline').innerHTML = await answer.text()
  byId('profile').href = address
  byId('profile').hidden = false
  const newest = byId('timeline').querySelector('li').dataset.id
  const grew = newest !== shown
  shown = newest
  return grew
}

// Asks ten times a second until the event is there, or for ten seconds.
async function watch (clicked) {
  byId('status').textContent = 'sending…'
  while (performance.now() - clicked < 10000) {
    if (await refresh()) {
      byId('status').textContent = `stored after ${Math.round(performance.now() - clicked)} ms`
      return
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  byId('status').textContent = 'not stored yet: is the worker running?'
}

refresh()
