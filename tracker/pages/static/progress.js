// A job's page, looked at again every second until the job ends; focus and scroll stay.
async function look () {
  const shown = document.getElementById('job')
  try {
    const answer = await fetch(location.href)
    if (answer.redirected) return location.reload() // signed out meanwhile
    if (answer.status >= 500) throw new Error('PostgreSQL or Redis is away')
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
    const now = page.getElementById('job')
    if (!now) return location.reload()
    if (now.innerHTML !== shown.innerHTML) shown.replaceChildren(...now.childNodes)
    if (!now.dataset.goesOn) return
  } catch {} // something is away: ask again
  setTimeout(look, 1000)
}

setTimeout(look, 500)
