// "Show older" loads what comes next below, when it is clicked and as one scrolls to it.
const events = document.getElementById('events')
let loading = false

async function grow (link) {
  if (loading) return
  loading = true
  const address = new URL(link.href)
  address.pathname += events.dataset.part || ''
  try {
    const answer = await fetch(address)
    if (!answer.ok || answer.redirected) throw new Error('nothing older came')
    const part = new DOMParser().parseFromString(await answer.text(), 'text/html')
    const added = [...part.querySelectorAll('[data-grows] > li')]
    events.querySelector('[data-grows]').append(...added)
    link.closest('.older').remove()
    const older = part.querySelector('.older')
    if (older) events.append(older)
    document.getElementById('grown').textContent = `${added.length} older ones`
    loading = false
    watch()
  } catch {
    watcher.disconnect()
    loading = false // the link still works
  }
}

const watcher = new IntersectionObserver((seen) => {
  if (seen.some((one) => one.isIntersecting)) grow(seen[0].target)
}, { rootMargin: '400px' })

function watch () {
  watcher.disconnect()
  const link = events.querySelector('.older a')
  if (link) watcher.observe(link)
}

events.addEventListener('click', (event) => {
  const link = event.target.closest('.older a')
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return
  event.preventDefault()
  grow(link)
})
watch()
