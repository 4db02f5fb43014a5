// Live hits: the server sends rows of HTML, the newest first; here they are only put in their place.
const list = document.querySelector('[data-live]')
const MOST = 200
const SPEAK_MS = 5000
const PATIENCE_MS = 2000

function start () {
  const lamp = document.querySelector('.light')
  const status = document.querySelector('[data-status]')
  const pause = document.querySelector('[data-pause]')
  const tally = document.querySelector('[data-tally]')
  const more = document.querySelector('[data-more]')
  const counts = {}
  let paused = false
  let waiting = []
  let fresh = 0
  let unshown = 0
  let unsaid = { hits: 0, rejected: 0 }
  let told = ''
  let trouble
  let source

  const number = (count) => count.toLocaleString('en')
  const many = (count) => `${number(count)} ${count === 1 ? 'hit' : 'hits'}`

  function say (lit, text) {
    clearTimeout(trouble)
    lamp.dataset.lit = lit
    if (status.textContent !== text) status.textContent = text
  }

  function sayLive () {
    if (!told) return
    if (paused) say('', 'Paused: what comes is kept.')
    else say('right', told)
  }

  function sayTrouble (text) {
    told = ''
    say('wrong', text)
  }

  function count (part) {
    for (const shown of tally.querySelectorAll('[data-count]')) {
      const outcome = shown.dataset.count
      const came = Number(part.dataset[outcome] || 0)
      if (!came) continue
      counts[outcome] = (counts[outcome] || 0) + came
      shown.textContent = number(counts[outcome])
      unsaid.hits += came
      if (outcome === 'quarantined') unsaid.rejected += came
    }
    unshown += Number(part.dataset.more)
    if (!unshown) return
    more.hidden = false
    more.textContent = `${many(unshown)} came too fast to be looked at one by one; they are counted.`
  }

  function put (rows) {
    const last = list.lastElementChild
    if (rows.length && last?.matches('[data-before]')) last.hidden = true // it said that there is none
    list.prepend(...rows)
    while (list.children.length > MOST) list.lastElementChild.remove()
  }

  function take (event) {
    const part = new DOMParser().parseFromString(event.data, 'text/html').querySelector('ol')
    count(part)
    const rows = [...part.children]
    if (!paused) return put(rows)
    fresh += rows.length
    waiting = [...rows, ...waiting].slice(0, MOST)
    label()
  }

  function label () {
    const came = fresh ? ` (${number(fresh)} new ${fresh === 1 ? 'hit' : 'hits'})` : ''
    pause.textContent = paused ? `Resume${came}` : 'Pause'
  }

  pause.addEventListener('click', () => {
    paused = !paused
    put(waiting)
    waiting = []
    fresh = 0
    label()
    sayLive()
  })

  function open () {
    source = new EventSource(list.dataset.live)
    source.addEventListener('hits', take)
    source.addEventListener('live', (event) => {
      told = event.data
      sayLive()
    })
    source.addEventListener('trouble', (event) => sayTrouble(event.data))
    source.addEventListener('open', () => clearTimeout(trouble))
    source.addEventListener('error', () => {
      if (source.readyState === EventSource.CLOSED) return askWhy()
      clearTimeout(trouble) // it comes back by itself, mostly at once
      trouble = setTimeout(() => sayTrouble('No connection; trying again…'), PATIENCE_MS)
    })
  }

  // An EventSource does not say what it was answered.
  async function askWhy () {
    const control = new AbortController()
    try {
      const answer = await fetch(list.dataset.live, { signal: control.signal })
      if (answer.redirected) return sayTrouble('You are signed out: sign in again.')
      if (answer.status === 403 || answer.status === 404) return sayTrouble('This section is not yours to see any more.')
      const full = answer.status === 503 && answer.headers.get('content-type').startsWith('text/plain')
      if (!answer.ok) sayTrouble(full ? await answer.text() : 'Pintag could not answer; trying again…')
    } catch {
      sayTrouble('No connection; trying again…')
    } finally {
      control.abort()
    }
    setTimeout(open, 5000)
  }

  setInterval(() => {
    if (!unsaid.hits) return
    const rejected = unsaid.rejected ? `, ${number(unsaid.rejected)} rejected` : ''
    document.querySelector('[data-summary]').textContent = many(unsaid.hits) + rejected
    unsaid = { hits: 0, rejected: 0 }
  }, SPEAK_MS)

  addEventListener('pagehide', () => source.close())
  addEventListener('pageshow', (event) => event.persisted && open())

  pause.hidden = tally.hidden = false
  say('', 'Connecting…')
  open()
}

if (list) start()
